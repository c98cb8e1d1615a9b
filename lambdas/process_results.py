"""ProcessResults: a judge job ended. When all jobs of its run have, write the report."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.notifications import record, tell
from lambdas.observability import lambda_function, logger, measure
from lambdas.settings import ResultsSettings, load
from nova_judge.aws import runs_table
from nova_judge.aws.execution_meter import meter_of
from nova_judge.errors import JudgeJobError, NovaJudgeError
from nova_judge.findings.facts import run_facts
from nova_judge.findings.index_entry import entry_of_report
from nova_judge.findings.metrics import failed_metrics
from nova_judge.findings.metrics_record import Metrics
from nova_judge.runs.job_outcome import JobOutcome, outcomes_of_event
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.runs.training_job_request import started_by
from nova_judge.steps import run_folder
from nova_judge.steps.publish import JudgeFurther, keep_ended, publish
from nova_judge.steps.run_index import now
from nova_judge.text import count_of


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An event of jobs that ended → `{run_id, status}`; twice the event, once the news."""
    settings = load(ResultsSettings)
    ended_now = outcomes_of_event(event)
    outcome = ended_now[-1]
    run = run_folder.read_run(settings.data_bucket, outcome.run_id)
    summary = run_folder.read_summary(settings.data_bucket, outcome.run_id)
    if run is None or summary is None:
        raise JudgeJobError(f"run {outcome.run_id} has a judge job, but no request or data set")
    if not started_by(run.execution, outcome.name):
        logger.warning("of an earlier attempt", run_id=run.run_id, job=outcome.name)
        return {"run_id": run.run_id, "status": "superseded"}
    for ended in ended_now:
        run_folder.write_outcome(settings.data_bucket, ended)
    outcomes = run_folder.read_outcomes(settings.data_bucket, run, summary)
    logger.info("job ended", run_id=run.run_id, job=outcome.name, status=outcome.status)
    failure = next((o.failure for o in outcomes if o.failure), None)
    if failure is not None:
        return _fail(settings, run, summary, outcomes, "judge", JudgeJobError(failure))
    controls = [o for o in outcomes if o.number >= summary.jobs]
    asked = summary.jobs if run.recipe.stop is None else 1
    try:
        for ended in ended_now:
            keep_ended(settings.data_bucket, run, summary, ended)
        if len(controls) < len(summary.controls) or len(outcomes) - len(controls) < asked:
            status = f"{len(outcomes)} of {count_of(summary.all_jobs, 'job')} ended"
            return {"run_id": run.run_id, "status": status}
        return _report(settings, run, summary, outcomes)
    except NovaJudgeError as error:
        # Reported and written down; another try would read the same bytes.
        logger.exception("no report", run_id=run.run_id)
        return _fail(settings, run, summary, outcomes, "results", error)
    except (BotoCoreError, ClientError):
        raise  # of AWS, and for a moment: Lambda tries the event again
    except Exception as error:
        # A fault of ours: whoever awaits the report hears of it, and the event is tried again.
        _fail(settings, run, summary, outcomes, "results", error)
        raise


def _report(
    settings: ResultsSettings, run: Run, summary: DatasetSummary, outcomes: Sequence[JobOutcome]
) -> dict[str, Any]:
    meter = meter_of(settings.runs_table, run.run_id, run.execution)
    published = publish(settings.data_bucket, run, summary, outcomes, meter)
    if isinstance(published, JudgeFurther):
        number = published.next_job
        asked = runs_table.ask_further(settings.runs_table, run.run_id, run.execution, number)
        status = runs_table.JUDGE_FURTHER if asked else "superseded"
        return {"run_id": run.run_id, "status": status}
    metrics, headline, uri = published
    before = runs_table.set_status(
        settings.runs_table,
        run.run_id,
        runs_table.REPORTED,
        execution=run.execution,
        report=uri,
        headline=headline,
    )
    if before is None:  # it was stopped, and asked for again meanwhile
        return {"run_id": run.run_id, "status": "superseded"}
    first = before != runs_table.REPORTED  # else the event came once more
    entry = entry_of_report(run, metrics, uri, ended=now())
    record(settings.stage, settings.data_bucket, entry, news=first)
    if first:
        measure(settings.stage, _measures(metrics, outcomes))
        tell(settings.topic_arn, run.run_id, runs_table.REPORTED, uri, headline)
    return {"run_id": run.run_id, "status": runs_table.REPORTED}


def _measures(metrics: Metrics, outcomes: Sequence[JobOutcome]) -> dict[str, float]:
    """Measures of a run that has its report."""
    bill = metrics.cost.actual if metrics.cost else None
    return {
        "RunsReported": 1,
        "ReportsFailed": 0,
        "RowsJudged": metrics.rows.judged or 0,
        "RowsFailed": metrics.rows.judge_failed or 0,
        "JudgeHours": sum(outcome.hours for outcome in outcomes),
        **({"ActualUSD": bill.usd} if bill else {}),
    }


def _fail(
    settings: ResultsSettings,
    run: Run,
    summary: DatasetSummary,
    outcomes: Sequence[JobOutcome],
    stage: str,
    error: Exception,
) -> dict[str, Any]:
    facts = {"error": type(error).__name__, "cause": str(error)[:2000]}
    uri = ""
    try:
        meter = meter_of(settings.runs_table, run.run_id, run.execution)
        facts_known = run_facts(run, summary, outcomes, meter=meter)
        metrics = failed_metrics(facts_known, stage, str(error))
        uri = facts["report"] = run_folder.store_report(settings.data_bucket, metrics)
    finally:
        # Whoever awaits the report hears of the failure even if no report can be written.
        before = runs_table.set_status(
            settings.runs_table, run.run_id, runs_table.FAILED, execution=run.execution, **facts
        )
    if before not in (None, runs_table.FAILED):  # RecordFailure may have sent it already
        entry = entry_of_report(run, metrics, uri, ended=now(), error=facts["error"])
        record(settings.stage, settings.data_bucket, entry)
        measure(settings.stage, {"RunsFailed": 1, "ReportsFailed": stage == "results"})
        tell(settings.topic_arn, run.run_id, runs_table.FAILED, uri, str(error))
    return {"run_id": run.run_id, "status": runs_table.FAILED}
