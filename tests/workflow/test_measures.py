"""Functions emit, in a run, what the dashboard and the alarms of the stage read."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nova_judge.measures import MEASURES, NAMESPACE, SERVICE
from nova_judge_local.emulator_settings import JobFault
from nova_judge_local.local_folders import STACKS
from tests.workflow.conftest import Account
from tests.workflow.test_endpoints import drop, invoke, wait_for_end

Start = Callable[..., Account]
DIMENSIONS = {"service": SERVICE, "stage": "local"}
OF_OTHER_JUDGES = {"ActualUSD", "JudgeReplies", "JudgeRepliesFailed"}
"""A stand-in costs nothing, and is a job; other tests look at real jobs and at judges by calls."""


def emitted(here: Account) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, unit and document of each measure in the functions' logs, as CloudWatch reads them."""
    logs = here.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        for event in events:
            if not event["message"].startswith('{"_aws"'):
                continue
            document = json.loads(event["message"])
            for directive in document["_aws"]["CloudWatchMetrics"]:
                assert directive["Namespace"] == NAMESPACE
                assert [set(names) for names in directive["Dimensions"]] == [set(DIMENSIONS)]
                for metric in directive["Metrics"]:
                    yield metric["Name"], metric["Unit"], document


def resources(kind: str) -> Iterator[dict[str, Any]]:
    for file in STACKS.glob("*.json"):
        for resource in json.loads(file.read_bytes())["Resources"].values():
            if resource["Type"] == kind:
                yield resource["Properties"]


def read_by_dashboard() -> set[str]:
    """The measures of ours that the dashboard draws, each with the dimensions that are emitted."""
    (dashboard,) = resources("AWS::CloudWatch::Dashboard")
    body = dashboard["DashboardBody"]
    text = body if isinstance(body, str) else json.dumps(body)
    dimensions = ",".join(f'"{key}","{value}"' for key, value in DIMENSIONS.items())
    plain = text.replace('\\"', '"')
    return set(re.findall(rf'"{NAMESPACE}","(\w+)",{dimensions}', plain))


def read_by_alarms() -> set[str]:
    ours = [
        alarm for alarm in resources("AWS::CloudWatch::Alarm") if alarm["Namespace"] == NAMESPACE
    ]
    for alarm in ours:
        assert {d["Name"]: d["Value"] for d in alarm["Dimensions"]} == DIMENSIONS
    return {alarm["MetricName"] for alarm in ours}


def test_what_is_read_is_emitted_by_the_functions_in_a_run(account: Start, tmp_path: Path) -> None:
    here = account(job_faults=(JobFault(job="failing"),))
    for name, first in (("fine", 0), ("failing", 5)):
        arn = drop(here, tmp_path, name, first=first)
        wait_for_end(here, arn)
    invoke(here, "WatchEndpoints", {})

    found = list(emitted(here))

    names = {name for name, _, _ in found}
    assert read_by_dashboard() == set(MEASURES)
    assert read_by_alarms() <= set(MEASURES)
    assert names == set(MEASURES) - OF_OTHER_JUDGES
    assert all(MEASURES[name].unit == unit for name, unit, _ in found)
    for document in (document for _, _, document in found):
        assert {key: document[key] for key in DIMENSIONS} == DIMENSIONS
    sums = {
        name: sum(sum(document[name]) for other, _, document in found if other == name)
        for name in ("RunsStarted", "RunsReported", "RunsFailed", "RowsAnswered", "RowsJudged")
    }
    assert sums == {
        "RunsStarted": 2,
        "RunsReported": 1,
        "RunsFailed": 1,
        "RowsAnswered": 12,
        "RowsJudged": 3,
    }
