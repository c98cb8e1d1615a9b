"""Leases as items of the runs table, one an endpoint, under keys that no run id can have."""

from typing import TYPE_CHECKING, Any

from nova_judge.answers.leases import Hosted, Lease
from nova_judge.aws import runs_table
from nova_judge.aws.client_errors import CONDITION_FAILED, passing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEY = "endpoint/"
_ATTEMPTS = 5


class LeaseTable:
    """`hosting.LeaseBook` in DynamoDB: each step is one conditional write."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def read(self, endpoint: str) -> Hosted | None:
        """Read the entry of an endpoint; None without one."""
        answer = self._table.get_item(Key=_key(endpoint), ConsistentRead=True)
        return _hosted(answer["Item"]) if "Item" in answer else None

    def join(self, endpoint: str, lease: Lease) -> Hosted | None:
        """Add or renew a lease; None while the endpoint is closing."""
        for _ in range(_ATTEMPTS):
            first: dict[str, Any] = {**_key(endpoint), "leases": {}, "closing": False}
            with passing(CONDITION_FAILED):
                absent = "attribute_not_exists(run_id)"
                self._table.put_item(Item=first, ConditionExpression=absent)
            joined = self._update(
                endpoint,
                "SET leases.#owner = :until",
                condition="closing = :no",
                names={"#owner": lease.owner},
                values={":until": int(lease.until), ":no": False},
            )
            if joined is not None:
                return joined
            hosted = self.read(endpoint)
            if hosted is not None and hosted.closing:
                return None
        return None

    def leave(self, endpoint: str, owner: str) -> bool:
        """Take a lease away; True when none is left and the endpoint is closing now."""
        self._update(
            endpoint,
            "REMOVE leases.#owner",
            condition="attribute_exists(leases)",
            names={"#owner": owner},
        )
        closing = self._update(
            endpoint,
            "SET closing = :yes",
            condition="attribute_exists(leases) AND size(leases) = :none",
            values={":yes": True, ":none": 0},
        )
        return closing is not None

    def note_without_capacity(self, endpoint: str, config: str) -> None:
        """Remember an EndpointConfig without capacity for as long as the endpoint is leased."""
        self._update(
            endpoint,
            "ADD without_capacity :config",
            condition="attribute_exists(leases)",
            values={":config": {config}},
        )

    def forget(self, endpoint: str) -> None:
        """Remove what is written down of a closing endpoint."""
        with passing(CONDITION_FAILED):
            self._table.delete_item(
                Key=_key(endpoint),
                ConditionExpression="closing = :yes",
                ExpressionAttributeValues={":yes": True},
            )

    def _update(
        self,
        endpoint: str,
        change: str,
        *,
        condition: str,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
    ) -> Hosted | None:
        """The item after a conditional change, or None where the condition does not hold."""
        maps: Any = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        with passing(CONDITION_FAILED):
            changed = self._table.update_item(
                Key=_key(endpoint),
                UpdateExpression=change,
                ConditionExpression=condition,
                ReturnValues="ALL_NEW",
                **{name: given for name, given in maps.items() if given},
            )
            return _hosted(changed["Attributes"])
        return None


def lease_table(name: str) -> LeaseTable:
    """The leases in the runs table of that name."""
    return LeaseTable(runs_table.opened(name))


def _key(endpoint: str) -> dict[str, str]:
    return {"run_id": f"{KEY}{endpoint}"}


def _hosted(item: Any) -> Hosted:  # noqa: ANN401 - an item of any table
    leases = tuple(Lease(owner, float(until)) for owner, until in sorted(item["leases"].items()))
    without_capacity = frozenset(item.get("without_capacity", ()))
    return Hosted(leases, without_capacity, bool(item["closing"]))
