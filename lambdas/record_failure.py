"""RecordFailure: release what a failed run holds and leave a report that says why it failed.

Called by the state machine's Catch, and by an event when an execution ended without one: aborted,
timed out, or failed by an error that no Catch sees (States.Runtime, States.DataLimitExceeded).
"""

import functools
import json
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from lambdas.notifications import record, tell
from lambdas.observability import lambda_function, logger, measure
from lambdas.settings import FailureSettings, load
from nova_judge.aws import executions, runs_table
from nova_judge.aws.execution_meter import meter_of
from nova_judge.findings.facts import run_facts
from nova_judge.findings.index_entry import entry_of_refusal, entry_of_report
from nova_judge.findings.metrics import failed_metrics
from nova_judge.findings.metrics_record import Metrics
from nova_judge.inputs.run_request import Wish, read_wish
from nova_judge.runs.execution_error import (
    SHARD_FAILED,
    ExecutionError,
    explain,
    failed_job,
    refusal,
)
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.run import Run
from nova_judge.steps import run_folder
from nova_judge.steps.endpoint_leases import release_leases
from nova_judge.steps.run_index import now

ASK_AGAIN = (
    'start it again with {"input": "s3://…", "recipe": "…"}: answers that are there are kept'
)


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """`{state: {error}, execution}` or an execution's status change → `{error, cause}`."""
    settings = load(FailureSettings)
    ended = "executionArn" in event
    execution = event["executionArn"] if ended else event["execution"]
    caught = {} if ended else event["state"]["error"]
    failure = _ended(event) if ended else _explain(caught, execution)
    # The table tells whose the run is: it may be claimed again, or be claimed and not yet written.
    run_id, noted = runs_table.unfinished_run(settings.runs_table, execution) or (None, None)
    logger.warning("failed", run_id=run_id, error=failure.error, stage=failure.stage)
    if run_id is not None and ended and _is_reported(noted, event["status"]):
        asked = run_folder.read_run(settings.data_bucket, run_id)
        _release(settings, run_id, asked.serves if asked else ())
    elif run_id is not None:
        _record(settings, run_id, execution, failure, failed_job(caught))
    elif not runs_table.has_claimed(settings.runs_table, execution):
        _refuse(settings, execution, _asked(event), failure)
    return {"error": failure.error, "cause": failure.cause}


def _is_reported(failure: str | None, status: str) -> bool:
    """True where the Catch or ProcessResults, who know more, have reported why the run failed.

    An execution that ended, was redriven and ended again is reported once more.
    """
    return failure is not None and (status == "FAILED" or failure not in ("ABORTED", "TIMED_OUT"))


def _explain(caught: dict[str, Any], execution: str) -> ExecutionError:
    if caught.get("Error") == SHARD_FAILED:
        # The map hides why its child failed; not to learn it is not a further failure.
        try:
            caught = executions.first_failed_child(execution) or caught
        except ClientError:
            logger.exception("the failed child could not be read")
    return explain(caught)


def _ended(event: dict[str, Any]) -> ExecutionError:
    status, cause = event["status"], event.get("cause")
    if status == "FAILED":
        return explain({"Error": event.get("error") or status, "Cause": cause or ASK_AGAIN})
    how = "was stopped" if status == "ABORTED" else "took too long"
    return ExecutionError(status, f"the execution {how}; {cause or ASK_AGAIN}", "evaluation")


def _asked(event: dict[str, Any]) -> Wish:
    """Read what was asked for: of the caught state, or of the input of an execution that ended."""
    if "executionArn" in event:
        try:
            return read_wish(json.loads(event.get("input") or "{}"))
        except ValueError:
            return read_wish(None)
    planned = event["state"].get("run")
    if isinstance(planned, dict):  # ClaimRun failed
        item = planned["input"]
        uri = f"s3://{item['bucket']}/{item['key']}" if item["key"] else ""
        return Wish(uri, str(planned["recipe"].get("name") or ""))
    return read_wish(event["state"])


def _refuse(settings: FailureSettings, execution: str, wish: Wish, failure: ExecutionError) -> None:
    """Tell of what failed before it was a run, and leave a report; once for each execution."""
    refused = refusal(wish, execution, failure)
    report = run_folder.publish_refusal(settings.data_bucket, refused)
    if report is None:
        return  # sent already, by the Catch
    record(settings.stage, settings.data_bucket, entry_of_refusal(refused, report, ended=now()))
    measure(settings.stage, {"RunsFailed": 1})
    headline = f"{wish.input_uri}: {failure.cause}" if wish.input_uri else failure.cause
    tell(settings.topic_arn, refused.run_id, runs_table.FAILED, report, headline, wish.input_uri)


def _record(
    settings: FailureSettings,
    run_id: str,
    execution: str,
    failure: ExecutionError,
    job: JobOutcome | None,
) -> None:
    note = functools.partial(
        runs_table.set_status, settings.runs_table, run_id, runs_table.FAILED, execution=execution
    )
    run = run_folder.read_run(settings.data_bucket, run_id)
    try:
        if run is not None:
            _release(settings, run_id, run.serves)
    finally:
        # Before the report, so that the run can be asked for again whatever becomes of that.
        before = note(error=failure.error, cause=failure.cause[:2000])
    if before is None:
        return  # its report came after all, or another execution has it
    report = ""
    first = before != runs_table.FAILED  # else ProcessResults has sent it already
    try:
        if run is not None:
            metrics = _metrics(settings, run, failure, job)
            report = run_folder.store_report(settings.data_bucket, metrics)
            note(report=report)
            entry = entry_of_report(run, metrics, report, ended=now(), error=failure.error)
            record(settings.stage, settings.data_bucket, entry, news=first)
    finally:
        if first:
            measure(settings.stage, {"RunsFailed": 1})
            tell(settings.topic_arn, run_id, runs_table.FAILED, report, failure.cause)


def _release(settings: FailureSettings, run_id: str, own: Iterable[str] = ()) -> None:
    """Give up everything that a run leases.

    `own` names its own endpoints: one that was never created may have left models behind.
    """
    deleted = release_leases(
        settings.runs_table,
        settings.job_prefix,
        run_id,
        [*json.loads(settings.endpoints), *own],
        own=bool(settings.weights_role_arn),
    )
    logger.info("released", owner=run_id, deleted=deleted)


def _metrics(
    settings: FailureSettings, run: Run, failure: ExecutionError, job: JobOutcome | None
) -> Metrics:
    bucket = settings.data_bucket
    if job is not None and job.run_id == run.run_id:
        # The job's own event may come later: whoever is last writes the same report.
        run_folder.write_outcome(bucket, job)
    summary = run_folder.read_summary(bucket, run.run_id)
    outcomes = run_folder.read_outcomes(bucket, run, summary) if summary is not None else ()
    meter = meter_of(settings.runs_table, run.run_id, run.execution)
    facts = run_facts(run, summary, outcomes, meter=meter)
    return failed_metrics(facts, failure.stage, failure.cause)
