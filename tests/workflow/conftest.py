"""The real stacks, state machine and handlers on the emulator, one account a test."""

import json
import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.engine.deploy import Outputs, deploy
from nova_judge_local.engine.emulator import Emulator
from nova_judge_local.local_folders import STACKS

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = tuple(str(path) for path in sorted((ROOT / "examples" / "answers").glob("*.jsonl")))
WAIT_S = 90.0
LOOK_EVERY_S = 0.2
"""Every look at executions keeps the account from its work."""


@dataclass(frozen=True)
class Execution:
    """One execution that ended."""

    arn: str
    status: str
    error: str | None
    cause: str | None
    output: dict[str, Any]


@dataclass(frozen=True)
class Account:
    """An emulated account with our stacks."""

    emulator: Emulator
    outputs: Outputs

    @property
    def bucket(self) -> str:
        return self.outputs["DataBucketName"]

    def client(self, service: str) -> Any:
        return self.emulator.client(service)

    def environment(self) -> dict[str, str]:
        """This process's variables without another account's, and those of this account."""
        ours = {name: value for name, value in os.environ.items() if "AWS_" not in name}
        return {**ours, **self.emulator.environment()}

    def drop(
        self, name: str, content: bytes, recipe: str = "pairwise", folder: Path | None = None
    ) -> str:
        """Put a file into the inbox, as a user would, and let the stand-in judge know it."""
        if folder is not None:
            known = folder / "known.jsonl"
            known.write_bytes(content)
            self.emulator.tell_judge(known)
        key = f"inbox/{recipe}/{name}"
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        return key

    def start(self, document: dict[str, Any]) -> str:
        """Start an execution as the console does."""
        machine = self.outputs["StateMachineArn"]
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(document)
        )
        return str(started["executionArn"])

    def ended(self, count: int = 1) -> list[Execution]:
        """The executions, oldest first, once `count` of them have ended."""
        machine = self.outputs["StateMachineArn"]
        sfn = self.client("stepfunctions")
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            found = [
                e
                for e in sfn.list_executions(stateMachineArn=machine)["executions"]
                if "mapRunArn" not in e
            ]
            if len(found) >= count and all(e["status"] != "RUNNING" for e in found):
                found.sort(key=lambda e: e["startDate"])
                return [self.describe(e["executionArn"]) for e in found]
            time.sleep(LOOK_EVERY_S)
        raise AssertionError(f"no {count} executions ended in {WAIT_S} s: {self.log()}")

    def describe(self, arn: str) -> Execution:
        found = self.client("stepfunctions").describe_execution(executionArn=arn)
        return Execution(
            arn,
            found["status"],
            found.get("error"),
            found.get("cause"),
            json.loads(found.get("output") or "{}"),
        )

    def keys(self, prefix: str = "") -> list[str]:
        listed = self.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def report(self, name: str = "metrics.json") -> bytes:
        """A file of the only run's report."""
        (key,) = (key for key in self.keys("runs/") if key.endswith(f"/report/{name}"))
        return self.read(key)

    def metrics(self) -> dict[str, Any]:
        return json.loads(self.report())

    def runs(self) -> list[dict[str, str]]:
        items = self.client("dynamodb").scan(TableName=self.outputs["RunsTableName"])["Items"]
        return [{name: next(iter(v.values())) for name, v in item.items()} for item in items]

    def jobs(self) -> list[dict[str, Any]]:
        listed = self.client("sagemaker").list_training_jobs()
        return list(listed["TrainingJobSummaries"])

    def endpoints(self) -> list[str]:
        return [e["EndpointName"] for e in self.client("sagemaker").list_endpoints()["Endpoints"]]

    def log(self) -> str:
        return self.emulator.log.read_text("utf-8", "replace")[-3000:]


ACCOUNTS = pytest.StashKey[list[Account]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test fails, its report shows what its accounts hold and have logged."""
    report = yield
    if call.when == "call" and report.failed:
        for account in item.stash.get(ACCOUNTS, []):
            held = f"{account.endpoints()}\n{account.runs()}\n{account.log()}"
            report.sections.append(("emulated account", held))
    return report


@pytest.fixture
def account(forks: str | None, request: pytest.FixtureRequest) -> Iterator[Callable[..., Account]]:
    """Starts an account; settings of the emulator as keywords."""
    running: list[Emulator] = []
    accounts = request.node.stash[ACCOUNTS] = list[Account]()
    common = {"answers": ANSWERS, "enforce_iam": True, "forks": forks}

    def start(templates: Path = STACKS, **settings: Any) -> Account:
        chosen = EmulatorSettings(**{**common, **settings})
        emulator = Emulator(chosen)
        running.append(emulator.__enter__())
        outputs = deploy(emulator.client, templates)
        accounts.append(Account(emulator, outputs))
        return accounts[-1]

    yield start
    for emulator in running:
        emulator.__exit__(None, None, None)


def lines(*rows: dict[str, Any]) -> bytes:
    """JSON Lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
