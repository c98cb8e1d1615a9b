"""Meters a run by what the runs table and Step Functions know of it."""

import time

from nova_judge.aws import account, execution_meter, runs_table
from nova_judge.check import NotRead
from nova_judge.runs.meter import Meter, endpoint_times


def meter_of(table: str, run_id: str, execution: str) -> Meter:
    """The quantities by now; what cannot be read is left unmetered, and fails nothing."""
    item = runs_table.item_of(table, run_id) or {}
    use = account.read(lambda: execution_meter.use_of(execution))
    return Meter(
        endpoints=endpoint_times(runs_table.leases_of(item), time.time()),
        transitions=None if isinstance(use, NotRead) else use.transitions,
        lambda_gb_seconds=None if isinstance(use, NotRead) else use.lambda_gb_seconds,
    )
