"""Deploys a CDK cloud assembly with boto3: what `cdk deploy` does, without its command line.

Stacks go out in the order of their dependencies; exports and imports between them are up to
CloudFormation.
"""

import json
import time
import zipfile
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from nova_judge.errors import LocalModeError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = "30"
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
POLL_S = 0.05

Outputs: TypeAlias = dict[str, str]
Clients: TypeAlias = Callable[[str], Any]


class CloudFormation(Protocol):
    """What is used of boto3's client."""

    def create_stack(self, **request: object) -> dict[str, Any]:
        """Start to create a stack."""
        ...

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        """The stack as it stands."""
        ...

    def describe_stack_events(self, *, StackName: str) -> dict[str, Any]:
        """What happened to its resources, the latest first."""
        ...


class Place(NamedTuple):
    """Where the stacks go; fills the placeholders of the assembly."""

    account: str
    region: str


class _Stack(NamedTuple):
    name: str
    template: str
    assets: Path


def deploy(
    assembly: Path,
    client: Clients,
    place: Place,
    progress: Callable[[str], None] = lambda stack: None,
) -> Outputs:
    """Create every stack of the assembly and give back all their outputs.

    `progress` hears each stack's name before it is created. Raises `LocalModeError` that names the
    stack, the resource and its reason when one cannot be created.
    """
    client("ssm").put_parameter(
        Name=BOOTSTRAP_PARAMETER, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
    )
    outputs: Outputs = {}
    published: set[tuple[str, str]] = set()
    for stack in _in_order(assembly):
        progress(stack.name)
        _publish_assets(stack, client("s3"), place, published)
        uploaded = _filled(stack.template, place).removeprefix("s3://")
        url = f"{client('s3').meta.endpoint_url}/{uploaded}"
        outputs |= _create(stack, url, client("cloudformation"))
    return outputs


def _in_order(assembly: Path) -> Iterator[_Stack]:
    manifest = assembly / "manifest.json"
    if not manifest.is_file():
        raise LocalModeError(f"{assembly} is no CDK cloud assembly: it has no manifest.json.")
    artifacts = json.loads(manifest.read_text("utf-8"))["artifacts"]
    graph = {name: artifact.get("dependencies", []) for name, artifact in artifacts.items()}
    for name in TopologicalSorter(graph).static_order():
        artifact = artifacts[name]
        if artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            yield _Stack(
                name=properties.get("stackName", name),
                template=properties["stackTemplateAssetObjectUrl"],
                assets=assembly / f"{name}.assets.json",
            )


def _publish_assets(
    stack: _Stack, s3: "S3Client", place: Place, published: set[tuple[str, str]]
) -> None:
    assets = json.loads(stack.assets.read_text("utf-8")) if stack.assets.is_file() else {}
    for asset in assets.get("files", {}).values():
        source = stack.assets.parent / asset["source"]["path"]
        for destination in asset["destinations"].values():
            bucket = _filled(destination["bucketName"], place)
            target = (bucket, destination["objectKey"])
            if target in published:
                continue
            if bucket not in {name for name, _ in published}:
                s3.create_bucket(Bucket=bucket)
            _upload(source, asset["source"]["packaging"], s3, *target)
            published.add(target)


def _upload(source: Path, packaging: str, s3: "S3Client", bucket: str, key: str) -> None:
    if packaging != "zip":
        s3.upload_file(str(source), bucket, key)
        return
    with TemporaryDirectory() as folder:
        archive = Path(folder) / "asset.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for file in sorted(path for path in source.rglob("*") if path.is_file()):
                packed.write(file, file.relative_to(source).as_posix())
        s3.upload_file(str(archive), bucket, key)


def _create(stack: _Stack, template_url: str, cloudformation: "CloudFormation") -> Outputs:
    cloudformation.create_stack(
        StackName=stack.name,
        TemplateURL=template_url,
        Capabilities=CAPABILITIES,
    )
    while True:
        state = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
        if not state["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(POLL_S)
    if state["StackStatus"] != "CREATE_COMPLETE":
        raise LocalModeError(_failure(stack, state, cloudformation))
    return {out["OutputKey"]: out["OutputValue"] for out in state.get("Outputs", [])}


def _failure(stack: _Stack, state: dict[str, Any], cloudformation: "CloudFormation") -> str:
    """The first resource that failed, and why."""
    events = cloudformation.describe_stack_events(StackName=stack.name)["StackEvents"]
    failed = [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
    ]
    reason = failed[0] if failed else state.get("StackStatusReason", state["StackStatus"])
    return f"Stack {stack.name} could not be created. {reason}"


def _filled(text: str, place: Place) -> str:
    return (
        text.replace("${AWS::AccountId}", place.account)
        .replace("${AWS::Region}", place.region)
        .replace("${AWS::Partition}", "aws")
    )
