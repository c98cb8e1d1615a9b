"""The CDK app: stacks in the order in which data flows through them."""

import json
from pathlib import Path

import aws_cdk as cdk

from nova_judge.tags import stage_tags
from stacks.config import StageConfig, stage_config
from stacks.endpoints_stack import EndpointsStack
from stacks.evaluation_stack import EvaluationStack
from stacks.results_stack import ResultsStack
from stacks.storage_stack import StorageStack

CDK_JSON = Path(__file__).with_name("cdk.json")


def build(app: cdk.App, config: StageConfig) -> None:
    """Wire the stacks of one stage; account and region are those of the deploying credentials."""
    names = {
        part: f"NovaJudge-{config.name}-{part}"
        for part in ("Storage", "Endpoints", "Evaluation", "Results")
    }
    storage = StorageStack(app, names["Storage"], config=config)
    endpoints = EndpointsStack(app, names["Endpoints"], config=config)
    results = ResultsStack(app, names["Results"], config=config, storage=storage.storage)
    evaluation = EvaluationStack(
        app,
        names["Evaluation"],
        config=config,
        storage=storage.storage,
        endpoints=endpoints,
        reports=results.topic,
    )
    for stack in (storage, endpoints, results, evaluation):
        for key, value in stage_tags(config.name).items():
            cdk.Tags.of(stack).add(key, value)


def main() -> None:
    """Synthesize the stage that the context names."""
    # `python app.py` without the CDK command line does not read cdk.json by itself.
    app = cdk.App(context=json.loads(CDK_JSON.read_text())["context"])
    config = stage_config(app.node.get_context("stage"), app.node.get_context("stages"))
    build(app, config)
    app.synth()


if __name__ == "__main__":
    main()
