"""The runs table: one item a run, claimed by one execution."""

import functools
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

RUNNING, FAILED, JUDGED, REPORTED = "RUNNING", "FAILED", "JUDGED", "REPORTED"


class Claim(NamedTuple):
    """Whether the run is ours now; otherwise which execution has it."""

    claimed: bool
    owner: str


@functools.cache
def _table(name: str) -> "Table":
    return boto3.resource("dynamodb").Table(name)


def claim(table: str, run_id: str, execution: str, created: str, *, by_event: bool) -> Claim:
    """Claim a run for an execution: the first one gets it, and gets it again when it asks again.

    A failed run may be claimed anew by a person's wish, never by an event, which may be a repeat.
    """
    free = "attribute_not_exists(run_id) OR execution = :execution"
    values = {":execution": execution}
    if not by_event:
        free += " OR #status = :failed"
        values[":failed"] = FAILED
    try:
        _table(table).put_item(
            Item={
                "run_id": run_id,
                "execution": execution,
                "status": RUNNING,
                "created": created,
            },
            ConditionExpression=free,
            ExpressionAttributeValues=values,
            **({} if by_event else {"ExpressionAttributeNames": {"#status": "status"}}),
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
            raise
        item = _table(table).get_item(Key={"run_id": run_id}, ConsistentRead=True).get("Item", {})
        return Claim(False, str(item.get("execution", "unknown")))
    return Claim(True, execution)


def set_status(table: str, run_id: str, status: str, **facts: str) -> None:
    """Write the run's status and further facts (texts) into its item."""
    names = {"#status": "status"} | {f"#{name}": name for name in facts}
    values = {":status": status} | {f":{name}": value for name, value in facts.items()}
    sets = ", ".join(f"#{name} = :{name}" for name in ("status", *facts))
    _table(table).update_item(
        Key={"run_id": run_id},
        UpdateExpression=f"SET {sets}",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )
