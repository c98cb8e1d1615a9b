"""Logs of one run, out of all functions of its stage and what it used, and how long they stay."""

import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from nova_judge.aws import account, aws_clients
from nova_judge.aws.client_errors import passing

LOG_GROUP = "AWS::Logs::LogGroup"
TRAINING = "/aws/sagemaker/TrainingJobs"
MOST_LINES = 10_000
_AT_ONCE = 8
_FUNCTION = re.compile(r"^NovaJudge-[^-]+-[^-]+-((?:[A-Z][a-z]+)+)")


class LogLine(NamedTuple):
    """One line: epoch milliseconds, who wrote it, and the text."""

    at: int
    source: str
    text: str


def lines_of_run(
    stage: str, run_id: str, execution: str, jobs: Iterable[str], since: int, until: int
) -> list[LogLine]:
    """What functions, the state machine and judge jobs wrote of a run, in the order of time.

    `since` and `until` in epoch milliseconds; `jobs` names its training jobs.
    """
    machine = f"/aws/vendedlogs/states/nova-judge-{stage}-evaluation"
    groups = (account.stack_resources(stage, part, LOG_GROUP) for part in ("Evaluation", "Results"))
    names = [name for group in groups for name in group.values() if name != machine]
    asked = [(name, run_id, "") for name in names]
    asked += [(machine, execution, "")] if execution else []
    asked += [(TRAINING, "", f"{job}/") for job in jobs]

    def matching(one: tuple[str, str, str]) -> list[LogLine]:
        return list(_matching(*one, since=since, until=until))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        lines = sorted(line for part in pool.map(matching, asked) for line in part)
    return lines[-MOST_LINES:]


def _matching(group: str, word: str, stream: str, *, since: int, until: int) -> Iterator[LogLine]:
    """The lines of a group that hold a word (any, if ""), or of its streams that begin so."""
    asked: dict[str, Any] = {"logGroupName": group, "startTime": since, "endTime": until}
    asked |= {"filterPattern": f'"{word}"'} if word else {}
    asked |= {"logStreamNamePrefix": stream} if stream else {}
    with passing("ResourceNotFoundException"):  # no job or function wrote there yet
        pages = aws_clients.logs().get_paginator("filter_log_events").paginate(**asked)
        for event in pages.search("events"):
            for text in event["message"].splitlines():
                if word in text:
                    yield LogLine(event["timestamp"], _source(group, stream, text), text)


def _source(group: str, stream: str, text: str) -> str:
    if stream:
        return f"job {stream.rstrip('/')}"
    if group.startswith("/aws/vendedlogs/"):
        return "state machine"
    try:
        function = str(json.loads(text)["function_name"])
    except (ValueError, KeyError, TypeError):
        return group
    named = _FUNCTION.search(function)
    return named[1] if named else function


def expire(prefix: str, days: int) -> list[str]:
    """Keep so many days what the groups of this prefix kept for ever; the groups' names.

    `days` is one of the numbers that CloudWatch Logs offers.
    """
    pages = (
        aws_clients.logs().get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    )
    names = list(pages.search("logGroups[?!retentionInDays].logGroupName"))
    for name in names:
        aws_clients.logs().put_retention_policy(logGroupName=name, retentionInDays=days)
    return names
