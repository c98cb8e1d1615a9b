"""`nova-judge verify` against an emulated stage: all well, and three faults, each named."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nova_judge.steps.verify_stage import PAIRS
from tests.made.command_line import forked
from tests.workflow.conftest import Account, lines

Start = Callable[..., Account]
SERVING = "0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker"


def verify(here: Account, out: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    asked = ("verify", "--stage", "local", "--out", out, *arguments)
    return forked(asked, {**here.environment(), "COLUMNS": "400"})


def rows(out: Path) -> dict[str, dict[str, Any]]:
    found = json.loads((out / "verification.json").read_bytes())
    return {row["what"]: row for row in [*found["probes"], *found["assumptions"]]}


def test_a_stage_as_deployed_is_confirmed_and_nothing_is_left(
    account: Start, tmp_path: Path
) -> None:
    here = account()

    done = verify(here, tmp_path)

    assert done.returncode == 0, done.stderr
    found = rows(tmp_path)
    assert {row["status"] for row in found.values()} == {"confirmed", "not tried"}
    for name in ("upload starts an execution", "state machine's definition", "alarms", "notices"):
        assert found[name]["status"] == "confirmed", name
    probed = [name for name in found if name.startswith(("function ", "rights of ", "rule "))]
    assert len(probed) > 25
    assert {found[name]["status"] for name in probed} == {"confirmed"}
    assert here.keys() == []
    assert here.runs() == []
    (execution,) = here.ended()
    assert execution.status == "SUCCEEDED"
    for name in ("verification.json", "verification.md"):
        assert "123456789012" not in (tmp_path / name).read_text("utf-8")


def test_a_missing_right_a_wrong_pattern_and_an_absent_image_are_each_named(
    account: Start, tmp_path: Path
) -> None:
    here = account(absent_images=(SERVING,))
    function = take_a_right_away(here)
    rule = narrow_a_pattern(here)

    done = verify(here, tmp_path)

    assert done.returncode == 3
    found = rows(tmp_path)
    refuted = {name: row for name, row in found.items() if row["status"] == "refuted"}
    by_rights = next(name for name in refuted if name.startswith("rights of BuildJobs"))
    assert function.startswith("BuildJobs")
    assert refuted[by_rights]["evidence"] == "its policy lacks s3:PutObject"
    assert rule.startswith("ProcessOnJobEnd")
    assert "does not take job" in refuted["rule ProcessOnJobEnd"]["evidence"]
    assert "Failed" in refuted["rule ProcessOnJobEnd"]["evidence"]
    assert f"has no image {SERVING}" in refuted["serving image (vllm)"]["evidence"]
    assert set(refuted) == {
        by_rights,
        "rule ProcessOnJobEnd",
        "serving image (vllm)",
        "IAM's simulator",
    }
    for name in refuted:
        assert name in " ".join(done.stderr.split())
        assert refuted[name]["advice"]


def test_what_is_spent_settles_rows_and_a_stand_in_settles_none(
    account: Start, tmp_path: Path
) -> None:
    here = account()
    known = tmp_path / "known.jsonl"
    known.write_bytes(lines(*({**pair, "reference": pair["response_B"]} for pair in PAIRS)))
    here.emulator.tell_judge(known)

    done = verify(here, tmp_path, "--spend", "2", "--yes")

    assert done.returncode == 0, done.stderr
    assert "pairwise: $1.78 likely, $42.54 at the very most" in done.stdout
    found = rows(tmp_path)
    order = found["order of the rows in the details Parquet"]
    assert order["status"] == "not tried"
    assert "was judged by a stand-in, not by AWS" in order["evidence"]
    assert "bedrock-judge: $0.20 likely" in done.stdout
    assert len(here.runs()) == 2


def take_a_right_away(here: Account) -> str:
    """Write a function's policy anew without one of its actions."""
    stack = "NovaJudge-local-Evaluation"
    cloudformation, iam = here.client("cloudformation"), here.client("iam")
    listed = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    logical, role = next(
        (one["LogicalResourceId"], one["PhysicalResourceId"].rpartition("/")[2])
        for one in listed
        if one["ResourceType"] == "AWS::IAM::Role"
        and one["LogicalResourceId"].startswith("BuildJobs")
    )
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    for statement in policy["Statement"]:
        if "s3:PutObject" in statement["Action"]:
            statement["Action"] = [one for one in statement["Action"] if one != "s3:PutObject"]
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    return str(logical)


def narrow_a_pattern(here: Account) -> str:
    """Let the rule on a judge job's end hear of jobs that completed, and of no others."""
    events = here.client("events")
    rule = next(r for r in events.list_rules()["Rules"] if "ProcessOnJobEnd" in r["Name"])
    pattern = json.loads(rule["EventPattern"])
    pattern["detail"]["TrainingJobStatus"] = ["Completed"]
    events.put_rule(Name=rule["Name"], EventPattern=json.dumps(pattern), State="ENABLED")
    return str(rule["Name"].rpartition("-Results-")[2])
