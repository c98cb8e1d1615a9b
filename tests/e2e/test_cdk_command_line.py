"""The real CDK command line against the emulated account: bootstrap, deploy, diff, destroy."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nova_judge.preflight.rules import STACK_PARTS
from nova_judge_local.engine.emulator import Emulator
from stacks.command import cdk, run_tool

pytestmark = pytest.mark.slow

STAGES = ("prod", "dev")  # the last is destroyed, from the assembly that its synthesis left
ROOT = Path(__file__).resolve().parents[2]


class Account:
    """An emulated account, the CDK command line pointed at it, and nova-judge too."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator, self.folder = emulator, folder
        self.environment = {**os.environ, **emulator.environment(), "COLUMNS": "200"}

    def cdk(self, *arguments: str, stage: str) -> str:
        """What it said. Templates are validated, at three seconds each time, as they are deployed:
        the others have to be the same."""
        validated = [] if arguments[0] in ("bootstrap", "deploy") else ["--no-validation"]
        output = ["--output", str(self.folder), "--context", f"stage={stage}"]
        return _said(cdk([*arguments, *validated, *output], self.environment, quiet=True))

    def cdk_on_the_last_assembly(self, *arguments: str) -> str:
        """The same on the stage that was synthesized last, as it was synthesized."""
        command = ["--app", str(self.folder), *arguments]
        return _said(run_tool("aws-cdk/bin/cdk", command, self.environment, quiet=True))

    def nova_judge(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [Path(sys.executable).with_name("nova-judge"), *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )

    def stacks(self) -> set[str]:
        found = self.emulator.client("cloudformation").describe_stacks()["Stacks"]
        return {s["StackName"] for s in found if s["StackStatus"] != "DELETE_COMPLETE"}

    def physical_ids(self, stage: str) -> set[tuple[str, str]]:
        cloudformation = self.emulator.client("cloudformation")
        return {
            (resource["ResourceType"], resource["PhysicalResourceId"])
            for part in STACK_PARTS
            for resource in cloudformation.describe_stack_resources(
                StackName=f"NovaJudge-{stage}-{part}"
            )["StackResources"]
        }


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    """Both stages of cdk.json, deployed side by side."""
    with Emulator() as emulator:
        account = Account(emulator, tmp_path_factory.mktemp("assembly"))
        account.cdk("bootstrap", "aws://123456789012/us-east-1", stage="dev")
        for stage in STAGES:
            account.cdk("deploy", "--all", "--require-approval", "never", stage=stage)
        yield account


def test_two_stages_live_side_by_side(account):
    wanted = {f"NovaJudge-{stage}-{part}" for stage in STAGES for part in STACK_PARTS}

    assert wanted <= account.stacks()
    assert account.physical_ids("dev") & account.physical_ids("prod") == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_second_synthesis_differs_in_nothing(account, stage):
    said = account.cdk("diff", "--all", "--fail", stage=stage)

    assert "Number of stacks with differences: 0" in said


def test_doctor_finds_the_deployed_stage_ready(account):
    done = account.nova_judge("doctor", "--recipe", "qwen-vs-claude", "--stage", "prod", "--json")

    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert {name: c for name, c in checks.items() if c["status"] != "pass"} == {}
    assert {"credentials", "stacks", "judge role trust", "bucket notifications"} <= set(checks)
    assert done.returncode == 0, done.stderr


def test_doctor_says_what_is_missing_of_a_stage_that_is_not_deployed(account):
    done = account.nova_judge("doctor", "--stage", "absent")

    assert done.returncode == 3
    said = " ".join(done.stderr.split())
    missing = "not deployed: Storage, Endpoints, Evaluation, Results"
    assert f"{missing}: `make deploy STAGE=absent`" in said


def test_a_destroyed_stage_leaves_the_other_alone(account):
    account.cdk_on_the_last_assembly("destroy", "--all", "--force")

    assert not {name for name in account.stacks() if "-dev-" in name}
    assert {f"NovaJudge-prod-{part}" for part in STACK_PARTS} <= account.stacks()
