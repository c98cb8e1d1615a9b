"""The templates of local mode: `python -m stacks.local_templates` writes them again.

Local mode needs neither the CDK nor Node: it deploys the stage `local` as it was synthesized when
the stacks last changed. Nothing of this machine stays in the files.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from nova_judge.folders import ROOT
from stacks.command import NODE_FOLDER
from stacks.config import stage_config

STAGE = "local"
KEPT = ROOT / "nova_judge_local" / "stacks"

Template: TypeAlias = dict[str, Any]


def main() -> int:
    """Write what the stacks are now; returns 0."""
    # Read while aws_cdk is imported: the Node that PyPI ships, whatever Node the machine has.
    os.environ["JSII_NODE"] = str(NODE_FOLDER / "node")
    for old in KEPT.glob("*.json"):
        old.unlink()
    for name, template in synthesized().items():
        (KEPT / f"{name}.json").write_text(as_text(template), encoding="utf-8")
    return 0


def synthesized(settings: Mapping[str, Any] | None = None) -> dict[str, Template]:
    """The template of every stack of the stage by the stack's name, with more of its settings."""
    import aws_cdk as cdk  # noqa: PLC0415 - it starts Node

    import app  # noqa: PLC0415 - as above

    context = json.loads(app.CDK_JSON.read_text("utf-8"))["context"]
    with tempfile.TemporaryDirectory() as folder:
        # Nobody bootstraps an emulated account, so no stack asks for its version.
        synthesizer = cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
        built = cdk.App(context=context, outdir=folder, default_stack_synthesizer=synthesizer)
        stages = {STAGE: {**context["stages"][STAGE], **(settings or {})}}
        app.build(built, stage_config(STAGE, stages))
        built.synth()
        files = sorted(Path(folder).glob("*.template.json"))
        return {
            file.name.removesuffix(".template.json"): _portable(json.loads(file.read_text("utf-8")))
            for file in files
        }


def as_text(template: Template) -> str:
    """The content of a kept file: one line per value, sorted, so that a change reads as one."""
    return json.dumps(template, indent=1, sort_keys=True) + "\n"


def _portable(template: Template) -> Template:
    """Without the name of the code's archive, and with the state machine as it reads best."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function":
            properties["Code"] = {"S3Bucket": "functions", "S3Key": "code.zip"}
        elif resource["Type"] == "AWS::StepFunctions::StateMachine":
            properties["Definition"] = json.loads(properties.pop("DefinitionString"))
    return template


if __name__ == "__main__":
    sys.exit(main())
