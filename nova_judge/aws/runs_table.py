"""The runs table: one item per run, claimed by one execution."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import boto3
import msgspec

from nova_judge.aws.client_errors import CONDITION_FAILED, passing
from nova_judge.runs.usage import EndpointLease

RUNNING, FAILED, REPORTED = "RUNNING", "FAILED", "REPORTED"
JUDGE_FURTHER = "JUDGE_FURTHER"
"""Rows judged so far do not decide: the state machine starts the judge job `next_job`."""


LEASE = "lease/"
"""Begins the attributes of a run's leases: `lease/<model>/since`, and so on."""


class Claim(NamedTuple):
    """Outcome of a claim: the run is ours now, or another execution has it."""

    claimed: bool
    owner: str


opened = functools.cache(lambda name: boto3.resource("dynamodb").Table(name))
"""The table of that name, opened once a process."""


def claim(table: str, run_id: str, execution: str, created: str, *, by_event: bool) -> Claim:
    """Claim a run for an execution: the first one gets it, and gets it again when it asks again.

    A failed run may be claimed again by a person's wish, never by an event, which may be a repeat.
    So may one that was aborted while the results processor asked for one job more.
    """
    # An event never takes over: no status is called by this name.
    retaken, asked_after = ("-", "-") if by_event else (FAILED, JUDGE_FURTHER)
    with passing(CONDITION_FAILED):
        opened(table).put_item(
            Item={
                "run_id": run_id,
                "execution": execution,
                "status": RUNNING,
                "created": created,
            },
            ConditionExpression="attribute_not_exists(run_id) OR execution = :execution "
            "OR #status = :retaken OR (#status = :asked_after AND attribute_exists(#error))",
            ExpressionAttributeNames={"#status": "status", "#error": "error"},
            ExpressionAttributeValues={
                ":execution": execution,
                ":retaken": retaken,
                ":asked_after": asked_after,
            },
        )
        return Claim(True, execution)
    return Claim(False, execution_of(table, run_id) or "unknown")


def set_status(
    table: str, run_id: str, status: str, *, execution: str | None = None, **facts: str
) -> str | None:
    """Write the run's status and further facts (texts) into its item; the status before.

    None, and nothing is written, where nobody has claimed the run, where it belongs to another
    execution than `execution`, and where it would fail a run that has its report.
    """
    written = {"status": status, **facts}
    values = {f":{name}": value for name, value in written.items()}
    conditions = ["attribute_exists(run_id)"]
    if execution is not None:
        conditions.append("execution = :mine")
        values[":mine"] = execution
    if status == FAILED:
        conditions.append("#status <> :reported")
        values[":reported"] = REPORTED
    before = _changed(
        table,
        Key={"run_id": run_id},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in written),
        ExpressionAttributeNames={f"#{name}": name for name in written},
        ExpressionAttributeValues=values,
        ConditionExpression=" AND ".join(conditions),
        ReturnValues="ALL_OLD",
    )
    return None if before is None else before.get("status", "")


def ask_further(table: str, run_id: str, execution: str, next_job: int) -> bool:
    """Ask for a run's judge job `next_job`; False, and nothing is written, where it is too late.

    Events come twice and out of order: a run that has its report, has failed, belongs to another
    execution or was asked for a later job stays as it is. One that was aborted may be redriven.
    """
    asked = str(next_job)
    item = _changed(
        table,
        Key={"run_id": run_id},
        UpdateExpression="SET #status = :further, #next = :asked",
        ConditionExpression="execution = :mine AND #status <> :reported AND "
        "(#status <> :failed OR #error IN (:aborted, :timed_out)) AND "
        # Jobs are numbers in texts, of which the longer is the larger.
        "(attribute_not_exists(#next) OR size(#next) < :digits OR "
        "(size(#next) = :digits AND #next <= :asked))",
        ExpressionAttributeNames={"#status": "status", "#next": "next_job", "#error": "error"},
        ExpressionAttributeValues={
            ":further": JUDGE_FURTHER,
            ":asked": asked,
            ":digits": len(asked),
            ":mine": execution,
            ":reported": REPORTED,
            ":failed": FAILED,
            ":aborted": "ABORTED",
            ":timed_out": "TIMED_OUT",
        },
    )
    return item is not None


def unfinished_run(table: str, execution: str) -> tuple[str, str | None] | None:
    """The run that an execution has claimed and that has no report of results yet, if any.

    Beside it the error that is written down, if it failed: an empty one where it has no name.
    """
    for item in _claimed_by(table, execution):
        if item["status"] != REPORTED:
            failed = item["status"] == FAILED
            return item["run_id"], item.get("error", "") if failed else None
    return None


def has_claimed(table: str, execution: str) -> bool:
    """True if an execution has claimed a run, whatever became of it."""
    return any(_claimed_by(table, execution))


def _claimed_by(table: str, execution: str) -> Iterator[dict[str, str]]:
    """What an execution has claimed: id, status and error."""
    pages = opened(table).meta.client.get_paginator("scan")
    claimed = pages.paginate(
        TableName=table,
        FilterExpression="execution = :execution",
        ExpressionAttributeNames={"#status": "status", "#error": "error"},
        ExpressionAttributeValues={":execution": execution},
        ProjectionExpression="run_id, #status, #error",
        ConsistentRead=True,
    )
    return map(_texts, claimed.search("Items"))


def item_of(table: str, run_id: str) -> dict[str, str] | None:
    """What the table says of one run, as texts; None where it has not heard of it."""
    item = opened(table).get_item(Key={"run_id": run_id}, ConsistentRead=True).get("Item")
    return _texts(item) if item and "execution" in item else None


def all_runs(table: str) -> Iterator[dict[str, str]]:
    """Every run of the stage, as `item_of` gives it; leases are left out."""
    pages = opened(table).meta.client.get_paginator("scan")
    runs = pages.paginate(TableName=table, FilterExpression="attribute_exists(execution)")
    return map(_texts, runs.search("Items"))


def begin_lease(table: str, run_id: str, model: str, now: float) -> None:
    """Write down since when (epoch seconds) a run leases a model's endpoint, if it does not yet.

    Where it had given the endpoint up, `since` moves by the time between, which nobody pays.
    """
    key, known = {"run_id": run_id}, "attribute_exists(execution)"
    since, until = f"{LEASE}{model}/since", f"{LEASE}{model}/until"
    item = _changed(
        table,
        Key=key,
        UpdateExpression="SET #since = if_not_exists(#since, :now)",
        ConditionExpression=known,
        ExpressionAttributeNames={"#since": since},
        ExpressionAttributeValues={":now": str(now)},
        ReturnValues="ALL_NEW",
    )
    ended = (item or {}).get(until)
    if item is None or ended is None:
        return
    moved = float(item[since]) + max(0.0, now - float(ended))
    _changed(
        table,
        Key=key,
        UpdateExpression="SET #since = :since REMOVE #until",
        ConditionExpression="#until = :until",  # another child may have moved it
        ExpressionAttributeNames={"#since": since, "#until": until},
        ExpressionAttributeValues={":since": str(moved), ":until": ended},
    )


def note_lease(table: str, run_id: str, model: str, fact: str, value: str) -> None:
    """Write down of a run's lease `until` when, which stays once it is there, or the endpoint's
    `instance_type`, as text. Leases of persons are nobody's run.
    """
    stays = "if_not_exists(#fact, :value)" if fact == "until" else ":value"
    _changed(
        table,
        Key={"run_id": run_id},
        UpdateExpression=f"SET #fact = {stays}",
        ConditionExpression="attribute_exists(execution) AND attribute_exists(#since)",
        ExpressionAttributeNames={
            "#fact": f"{LEASE}{model}/{fact}",
            "#since": f"{LEASE}{model}/since",
        },
        ExpressionAttributeValues={":value": value},
    )


def _changed(table: str, **update: Any) -> dict[str, str] | None:  # noqa: ANN401 - update_item's own
    """The texts of the item that `update_item` returns; None where its condition does not hold."""
    with passing(CONDITION_FAILED):
        answer = opened(table).update_item(**update)
        return _texts(answer.get("Attributes", {}))
    return None


def leases_of(item: Mapping[str, str]) -> dict[str, EndpointLease]:
    """The leases of a run, by model, out of its item."""
    by_model: dict[str, dict[str, str]] = {}
    for name, value in item.items():
        if name.startswith(LEASE):
            model, _, fact = name.removeprefix(LEASE).rpartition("/")
            by_model.setdefault(model, {})[fact] = value
    return {
        model: msgspec.convert(facts, EndpointLease, strict=False)
        for model, facts in by_model.items()
    }


def forget(table: str, run_id: str) -> None:
    """Remove what is written down of a run."""
    opened(table).delete_item(Key={"run_id": run_id})


def _texts(item: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in item.items() if isinstance(value, str)}


def execution_of(table: str, run_id: str) -> str | None:
    """The execution that has claimed a run, if any."""
    return (item_of(table, run_id) or {}).get("execution")
