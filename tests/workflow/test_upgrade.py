"""A stage of the last release is deployed over without loss: all that it holds is read."""

import gzip
import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from nova_judge.findings.metrics_record import decode_metrics
from nova_judge.runs.run import Run
from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.engine import deploy as deploying
from nova_judge_local.engine.emulator import Emulator
from nova_judge_local.local_folders import STACKS
from tests.workflow.conftest import ANSWERS, Account
from tests.workflow.test_endpoints import wait_for_end
from tests.workflow.test_runs import command, document

RELEASE = Path(__file__).parents[1] / "data" / "release-0.1.0"
"""Made by that release on the emulator: templates, the bucket without pictures, the table."""
BUCKET = "novajudge-local-storage-data666c94c7-2a208c53df1fc"
KEPT = ("AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable")


def members(name: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress((RELEASE / name).read_bytes()))) as tar:
        return {m.name: file.read() for m in tar if (file := tar.extractfile(m)) is not None}


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """The templates of the last release."""
    folder = tmp_path / "templates"
    folder.mkdir()
    for name, content in members("templates.tar.gz").items():
        (folder / name).write_bytes(content)
    return folder


def load(here: Account) -> None:
    """What the last release left in bucket and table."""
    for key, body in members("bucket.tar.gz").items():
        if key.startswith("inbox/no-such-recipe/"):
            continue  # its upload would be asked for once more
        content = body.replace(BUCKET.encode(), here.bucket.encode())
        here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=content)
    text = (RELEASE / "runs_table.json").read_text().replace(BUCKET, here.bucket)
    for item in json.loads(text):
        here.client("dynamodb").put_item(TableName=here.outputs["RunsTableName"], Item=item)


def update(here: Account) -> None:
    """Deploy this version over it, stack by stack."""
    cloudformation, s3 = here.client("cloudformation"), here.client("s3")
    for file in deploying._in_order(STACKS):
        s3.put_object(Bucket=deploying.TEMPLATE_BUCKET, Key=file.name, Body=file.read_bytes())
        url = f"{s3.meta.endpoint_url}/{deploying.TEMPLATE_BUCKET}/{file.name}"
        try:
            cloudformation.update_stack(
                StackName=file.stem, TemplateURL=url, Capabilities=deploying.CAPABILITIES
            )
        except ClientError as error:
            assert "No updates are to be performed" in str(error)
            continue
        deadline = time.monotonic() + 120
        while (state := status(cloudformation, file.stem)).endswith("IN_PROGRESS"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert state == "UPDATE_COMPLETE", f"{file.stem}: {state}"


def status(cloudformation: Any, stack: str) -> str:
    return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])


def kept(cloudformation: Any) -> dict[str, str]:
    """What holds state, by logical id: its physical id must stay."""
    listed = cloudformation.list_stack_resources(StackName="NovaJudge-local-Storage")
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for one in listed["StackResourceSummaries"]
        if one["ResourceType"] in KEPT
    }


def test_a_stage_of_the_last_release_is_deployed_over_without_loss(
    templates: Path, tmp_path: Path
) -> None:
    with Emulator(EmulatorSettings(answers=ANSWERS, enforce_iam=True)) as emulator:
        here = Account(emulator, deploying.deploy(emulator.client, templates))
        load(here)
        before, keys = kept(here.client("cloudformation")), set(here.keys())

        update(here)

        assert kept(here.client("cloudformation")) == before
        assert len(before) == 3
        assert set(here.keys()) == keys
        runs_are_read(here)
        answers_are_taken_over(here, tmp_path)


def runs_are_read(here: Account) -> None:
    listed = {run["run_id"].rpartition("-")[0]: run for run in document(here, "list")["runs"]}
    assert {name: run["status"] for name, run in listed.items()} == {
        "fine": "REPORTED",
        "failing": "FAILED",
    }
    assert listed["fine"]["headline"].startswith("Inconclusive: Both orders name B on 2 and A on 1")
    assert listed["failing"]["error"] == "JudgeJobError"
    shown = document(here, "show", "failing")
    assert "injected failure" in shown["cause"]
    assert "X-Amz-Signature" in document(here, "open", "fine")["url"]
    for name in ("fine", "failing"):
        folder = f"runs/{listed[name]['run_id']}"
        assert (
            msgspec.json.decode(here.read(f"{folder}/request.json"), type=Run).recipe.name
            == "pairwise"
        )
        metrics = decode_metrics(here.read(f"{folder}/report/metrics.json"), name)
        assert metrics.status == {"fine": "completed", "failing": "failed"}[name]
    refused = command(here, "retry", "fine")
    assert "only a failed run is retried" in refused.stderr


def answers_are_taken_over(here: Account, folder: Path) -> None:
    known = folder / "known.jsonl"
    known.write_bytes(here.read("inbox/no-cache/fine"))
    here.emulator.tell_judge(known)
    arn = here.start({"input": f"s3://{here.bucket}/inbox/no-cache/fine", "recipe": "pairwise"})
    execution = wait_for_end(here, arn)
    assert execution.status == "SUCCEEDED", execution
    report = here.read(f"runs/{execution.output['run_id']}/report/metrics.json")
    assert json.loads(report)["generation"]["cached"] == 6


def test_the_templates_keep_what_holds_state(templates: Path) -> None:
    """CloudFormation replaces a bucket or a table whose id, name or key changes."""
    old = json.loads((templates / "NovaJudge-local-Storage.json").read_bytes())["Resources"]
    new = json.loads((STACKS / "NovaJudge-local-Storage.json").read_bytes())["Resources"]
    for name, resource in old.items():
        if resource["Type"] not in KEPT:
            continue
        assert new[name]["Type"] == resource["Type"]
        for key in ("BucketName", "TableName", "KeySchema", "AttributeDefinitions"):
            assert new[name]["Properties"].get(key) == resource["Properties"].get(key)
        assert new[name]["DeletionPolicy"] == resource["DeletionPolicy"]


def test_what_other_stacks_import_is_still_exported(templates: Path) -> None:
    """A stack whose export goes while another imports it cannot be deployed."""
    imports, exports = set(), set()
    for file in templates.glob("*.json"):
        imports |= set(deploying._imports(json.loads(file.read_bytes())))
    for file in STACKS.glob("*.json"):
        outputs = json.loads(file.read_bytes()).get("Outputs", {}).values()
        exports |= {output["Export"]["Name"] for output in outputs if "Export" in output}
    assert imports <= exports
