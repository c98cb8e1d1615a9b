"""The CDK app: stacks in the order in which data flows through them."""

import json
import os
import sys
from pathlib import Path

try:
    import aws_cdk as cdk
except ModuleNotFoundError:  # another Python than the one that `make` set up
    sys.exit(
        f"{sys.executable} has no aws_cdk: run `make setup` once, or install requirements.txt "
        "into a Python of your own"
    )

from constructs import Construct

from nova_judge.errors import NovaJudgeError, SettingsError
from nova_judge.tags import stage_tags
from stacks.config import StageConfig, check_offered, stage_config
from stacks.endpoints_stack import EndpointsStack
from stacks.evaluation_stack import EvaluationStack
from stacks.results_stack import ResultsStack
from stacks.storage_stack import StorageStack

CDK_JSON = Path(__file__).with_name("cdk.json")


def build(app: Construct, config: StageConfig) -> None:
    """Wire the stacks of one stage; account and region are those of the deploying credentials."""

    def name(part: str) -> str:
        return f"NovaJudge-{config.name}-{part}"

    storage = StorageStack(app, name("Storage"), config=config)
    results = ResultsStack(app, name("Results"), config=config, storage=storage.storage)
    models = config.endpoint_models
    endpoints = EndpointsStack(app, name("Endpoints"), config=config) if models else None
    evaluation = EvaluationStack(
        app,
        name("Evaluation"),
        config=config,
        storage=storage.storage,
        endpoint_configs=endpoints.configs if endpoints else {},
        reports=results.topic,
    )
    if endpoints:
        # Last: a serving image that a region lacks keeps nothing else from being deployed.
        endpoints.add_stack_dependency(evaluation, "most runs need no endpoint")
    for stack in (storage, results, evaluation, *([endpoints] if endpoints else [])):
        for key, value in stage_tags(config.name).items():
            cdk.Tags.of(stack).add(key, value)


def main() -> None:
    """Synthesize the stage that the context names; a stage that cannot be deployed says why."""
    # `python app.py` without the CDK command line does not read cdk.json by itself.
    app = cdk.App(context=json.loads(CDK_JSON.read_text())["context"])
    try:
        config = stage_config(app.node.get_context("stage"), app.node.get_context("stages"))
        if "CDK_CLI_VERSION" in os.environ:  # set by the command line, which may deploy
            _check_deployable(config)
        build(app, config)
    except NovaJudgeError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    app.synth()


def _check_deployable(config: StageConfig) -> None:
    if not config.bundle_dependencies:
        raise SettingsError(
            f"stage {config.name!r} is for local mode: its functions lack their dependencies, and "
            "every one would fail. Name another stage of cdk.json"
        )
    if region := os.environ.get("CDK_DEFAULT_REGION"):
        check_offered(config, region)


if __name__ == "__main__":
    main()
