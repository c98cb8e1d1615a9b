"""`nova-judge stop` leaves nothing that is paid for, so that the stacks may be removed."""

import functools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from nova_judge.cli import stop as stop_command
from nova_judge_local.emulator_settings import EndpointFault
from tests.made.command_line import forked
from tests.workflow.conftest import Account
from tests.workflow.test_endpoints import drop, entered, invoke, jobs_under_way, wait_until

Start = Callable[..., Account]


def stop(here: Account, *arguments: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
    asked = ("stop", "--stage", "local", *arguments)
    environment = {**here.environment(), "COLUMNS": "200"}
    prepare = functools.partial(setattr, stop_command, "QUIET_S", 1.0)
    return forked(asked, environment, said=answer, prepare=prepare)


def test_everything_under_way_is_shown_and_stopped(account: Start, tmp_path: Path) -> None:
    here = account(endpoint_faults=(EndpointFault(latency_s=20.0),))
    person = {"run_id": "person/ann", "endpoints": ["qwen2.5-7b-instruct"], "seconds": 3600}
    invoke(here, "PrepareEndpoints", person)
    arn = drop(here, tmp_path)
    wait_until(lambda: "GenerateResponses" in entered(here, arn))

    refused = stop(here, answer="n\n")

    assert refused.returncode == 1, refused.stderr
    assert arn.rsplit(":", 1)[-1] in refused.stdout
    assert "nova-judge-local-qwen2-5-7b-instruct" in refused.stdout
    assert here.describe(arn).status == "RUNNING"

    done = stop(here, "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing is under way any more" in done.stdout
    assert here.describe(arn).status == "ABORTED"
    assert (here.endpoints(), jobs_under_way(here)) == ([], [])
    nothing = stop(here, "--json")
    assert "Nothing is under way." in nothing.stderr
    assert json.loads(nothing.stdout) == {"stage": "local", "stopped": []}
