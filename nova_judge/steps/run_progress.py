"""The place of a run under way: answers, judge jobs and cost so far."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from nova_judge.answers.answer_store import names_folder
from nova_judge.answers.prompts import NAME_BYTES
from nova_judge.aws import judge_jobs, s3
from nova_judge.aws.judge_jobs import JobSeen
from nova_judge.kinds.job import PlannedJob
from nova_judge.layout import RunLayout
from nova_judge.preflight.pricing import bill, usage_of
from nova_judge.runs.run import Run
from nova_judge.runs.training_job_request import started_by
from nova_judge.runs.usage import InstanceTime
from nova_judge.steps import run_folder
from nova_judge.steps.candidates import kept_as


class RunProgress(NamedTuple):
    """Rows answered are counted as they are stored, some hundreds at once; answers of other runs
    that are taken over count when all are there. `planned` is the number of judge jobs.

    `usd` is what jobs on instances and Bedrock's tokens cost so far, by the price list.
    """

    rows: int | None
    answered: dict[str, int]
    judged: int
    jobs: tuple[JobSeen, ...]
    planned: int | None
    usd: float | None


def progress_of(bucket: str, prefix: str, run: Run) -> RunProgress:
    """Look where a run is; `prefix` begins the names of the stage's jobs."""
    summary = run_folder.read_summary(bucket, run.run_id)
    outcomes = run_folder.read_outcomes(bucket, run, summary) if summary else []
    jobs = [
        job
        for job in judge_jobs.seen(f"{prefix}-{run.run_id}-")
        if started_by(run.execution, job.name)
    ]
    usage = usage_of(run, summary, outcomes)
    ended = {outcome.name for outcome in outcomes}
    under_way = tuple(_time(run, job) for job in jobs if job.name not in ended)
    usage = msgspec.structs.replace(usage, judge_jobs=(*usage.judge_jobs, *under_way))
    forecast = run.estimate
    expected = forecast.workload.rows if forecast else None
    return RunProgress(
        rows=summary.rows if summary else expected,
        answered={
            candidate: summary.rows if summary else _stored(bucket, run, candidate)
            for candidate in run.generated()
        },
        judged=_judged(bucket, run, [outcome.number for outcome in outcomes]),
        jobs=tuple(jobs),
        planned=summary.all_jobs if summary else None,
        usd=None if run.stand_ins.judge else bill(usage).usd,
    )


def _stored(bucket: str, run: Run, candidate: str) -> int:
    folder = names_folder(kept_as(run, candidate), run.run_id)
    return sum(item["Size"] for item in s3.listed(bucket, folder)) // NAME_BYTES


def _judged(bucket: str, run: Run, ended: Sequence[int]) -> int:
    """Rows of the jobs that have ended."""
    keys = map(RunLayout(run.run_id).judge_job, ended)
    jobs = (s3.find_record(bucket, key, PlannedJob) for key in keys)
    return sum(job.last - job.first for job in jobs if job is not None)


def _time(run: Run, job: JobSeen) -> InstanceTime:
    judge = run.recipe.judge
    return InstanceTime(judge.instance_types[0], 3600 * job.hours, judge.instance_count, job.name)
