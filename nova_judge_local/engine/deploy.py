"""Deploys kept templates with boto3: what `cdk deploy` does, without the CDK.

A stack goes out after those whose exports it imports. Functions find their code where it lies on
this machine (see `emulator.py`), so the archive that their templates name is empty.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, TypeAlias

from nova_judge.errors import LocalModeError
from nova_judge_local.engine.clients import Client
from nova_judge_local.local_folders import STACKS

TEMPLATE_BUCKET = "templates"
CODE_BUCKET, CODE_KEY = "functions", "code.zip"
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
POLL_S = 0.02

Outputs: TypeAlias = dict[str, str]


def deploy(
    client: Callable[[str], Client],
    templates: Path = STACKS,
    progress: Callable[[str], None] = lambda stack: None,
) -> Outputs:
    """Create a stack per template in the folder and give back all their outputs.

    `progress` hears each stack's name before it is created. Raises `LocalModeError` that names the
    stack, the resource and its reason when one cannot be created.
    """
    s3 = client("s3")
    for bucket in (TEMPLATE_BUCKET, CODE_BUCKET):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=CODE_BUCKET, Key=CODE_KEY, Body=_empty_archive())
    outputs: Outputs = {}
    for file in _in_order(templates):
        progress(file.stem)
        s3.put_object(Bucket=TEMPLATE_BUCKET, Key=file.name, Body=file.read_bytes())
        url = f"{s3.meta.endpoint_url}/{TEMPLATE_BUCKET}/{file.name}"
        outputs |= _create(file.stem, url, client("cloudformation"))
    return outputs


def _empty_archive() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w"):
        pass
    return archive.getvalue()


def _in_order(folder: Path) -> list[Path]:
    """The templates, each after those that export what it imports."""
    templates = {file: json.loads(file.read_bytes()) for file in sorted(folder.glob("*.json"))}
    if not templates:
        raise LocalModeError(f"{folder} holds no template.")
    exporters = {
        output["Export"]["Name"]: file
        for file, template in templates.items()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }
    graph = {
        file: {exporters[name] for name in _imports(template)}
        for file, template in templates.items()
    }
    return list(TopologicalSorter(graph).static_order())


def _imports(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "Fn::ImportValue" in value:
            yield str(value["Fn::ImportValue"])
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _imports(item)


def _create(name: str, template_url: str, cloudformation: Client) -> Outputs:
    cloudformation.create_stack(StackName=name, TemplateURL=template_url, Capabilities=CAPABILITIES)
    while True:
        state = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not state["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(POLL_S)
    if state["StackStatus"] != "CREATE_COMPLETE":
        raise LocalModeError(_failure(name, state, cloudformation))
    return {out["OutputKey"]: out["OutputValue"] for out in state.get("Outputs", [])}


def _failure(name: str, state: dict[str, Any], cloudformation: Client) -> str:
    """The first resource that failed, and why."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
    ]
    reason = failed[0] if failed else state.get("StackStatusReason", state["StackStatus"])
    return f"Stack {name} could not be created. {reason}"
