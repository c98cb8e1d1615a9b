"""The data that a run's jobs read, and the requests that start them.

The input is read twice: what cannot be used is set aside and the rest is counted, then the jobs are
planned over that many rows and their files written: those of very many rows side by side, each by a
function of its own.
"""

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from nova_judge.aws import s3
from nova_judge.errors import RecipeError
from nova_judge.kinds.job import IN_CHILDREN, Api, Deployment, PlannedJob
from nova_judge.kinds.kind import Kind
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.layout import RunLayout
from nova_judge.pairs.controls import CONTROL_ROWS, Control, DrawnRows, control_rows
from nova_judge.pairs.judged_evidence import judging_ranks
from nova_judge.records import FailedRow, InputRow, Rejected
from nova_judge.runs.row_accounting import DatasetCounter, DatasetSummary, check_summary
from nova_judge.runs.run import Run, StandIns
from nova_judge.steps.job_files import (
    FilesOf,
    ShardBegin,
    cut_asked,
    encoded,
    files_of_job,
    pieces_of,
    write_in_order,
    write_rows,
)
from nova_judge.text import count_of

MOST_STATE_BYTES = 200_000
"""Step Functions' 262,144 (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html),
less what else stands in the state: what is known of the run, and what the jobs' states add for each
of them. Beyond it an execution fails past every Catch."""

FILES_AT_ONCE = 8
MOST_ROWS_AT_ONCE = 1_000_000
"""Rows whose files one function writes beside planning them: a minute's work. Those of more rows
are written side by side, where the files can be written from a shard on."""


class StateJob(msgspec.Struct, frozen=True):
    """A job as the state machine can carry it: its number, and what it asks AWS for."""

    number: int
    request: dict[str, Any]


class BuiltJobs(NamedTuple):
    """The requests of a run's jobs: those that start at once, and those that may be needed later.

    `done`: how many of the jobs that judge rows are among the first. `requests`: the key of a file
    with the first ones, in place of `jobs`, where each gets a child execution of its own. `pieces`:
    the key of the files that are still to be written; "" where all are.
    """

    api: Api
    jobs: list[StateJob]
    later: list[StateJob]
    done: int
    requests: str = ""
    pieces: str = ""


class _Counted(NamedTuple):
    """The account of the input, where each shard begins, and the rows that controls are made of."""

    summary: DatasetSummary
    places: list[ShardBegin]
    drawn: list[InputRow]


def build_jobs(
    run: Run, deployment: Deployment, most_rows_at_once: int = MOST_ROWS_AT_ONCE
) -> BuiltJobs:
    """Write everything that the jobs of a run read, and say what to ask AWS for.

    With `stop: when_decided` one job starts at once, beside those of controls. Raises
    GenerationFailedError or InputFileError where the rows are not worth a job.
    """
    files = FilesOf(run, kind_of(run.recipe.kind), deployment.bucket)
    kind, bucket, layout = files.kind, files.bucket, RunLayout(run.run_id)
    counted = _Counted(DatasetCounter().summary(), [], [])
    if kind.needs_file(run.recipe):
        counted = _set_aside(files)
        s3.write_record(bucket, layout.dataset, counted.summary)
        _check(run, counted.summary)
    jobs = kind.jobs(run, counted.summary.rows)
    # Those of the controls follow those of the rows.
    controls = [job for job in jobs if job.step == "control"]
    rows = list(jobs[: len(jobs) - len(controls)])
    names = tuple(job.label for job in controls)
    summary = msgspec.structs.replace(counted.summary, jobs=len(rows), controls=names)
    s3.write_record(bucket, layout.dataset, summary)
    pieces = ""
    if _is_written_by_pieces(files, summary.rows, most_rows_at_once):
        pieces = layout.job_files
        s3.write_record(bucket, pieces, list(pieces_of(rows, counted.places)))
    else:
        _write_rows(files, rows)
        cut_asked(files, rows)
    for job in controls:
        made = control_rows(
            counted.drawn, Control(job.label), CONTROL_ROWS, run.recipe.statistics.seed
        )
        write_rows(files, [job], made)
    cut_asked(files, controls)
    requests = [_request(run, kind, job, deployment) for job in jobs]
    if jobs[0].api in IN_CHILDREN:
        s3.write_record(bucket, layout.job_requests, requests)
        return BuiltJobs(jobs[0].api, [], [], len(rows), layout.job_requests, pieces)
    check_state_size(requests)
    at_once = 1 if run.recipe.stop else len(rows)
    requests = _freeing(requests[:at_once] + requests[len(rows) :] + requests[at_once : len(rows)])
    first = at_once + len(controls)
    return BuiltJobs(jobs[0].api, requests[:first], requests[first:], at_once, pieces=pieces)


def _freeing(jobs: Sequence[StateJob]) -> list[StateJob]:
    """Jobs in the order of their start; `frees`: the endpoints that no job after it asks."""
    freeing: list[StateJob] = []
    needed: set[str] = set()
    for job in reversed(jobs):
        endpoints = job.request.get("endpoints", [])
        frees = {"frees": [name for name in endpoints if name not in needed]} if endpoints else {}
        needed.update(endpoints)
        freeing.append(StateJob(job.number, job.request | frees))
    return freeing[::-1]


def _is_written_by_pieces(files: FilesOf, rows: int, most_rows_at_once: int) -> bool:
    """True for very many rows that lie in the order of their shards."""
    recipe = files.run.recipe
    in_order = files.kind.generates and not recipe.stop and not recipe.many
    return in_order and rows > most_rows_at_once


def _set_aside(files: FilesOf) -> _Counted:
    """Count the rows; write down the lines that cannot be used and the rows without answers."""
    run, bucket = files.run, files.bucket
    layout, counter = RunLayout(run.run_id), DatasetCounter()
    places: list[ShardBegin] = []
    drawn = DrawnRows(CONTROL_ROWS, run.recipe.statistics.seed)
    with (
        s3.ObjectWriter(bucket, layout.rejected) as rejected,
        s3.ObjectWriter(bucket, layout.failed) as failed,
    ):
        for line in files.lines(counter, places=places):
            counter.count(line)
            if isinstance(line, FailedRow):
                failed.write(encoded(line))
            elif isinstance(line, Rejected):
                rejected.write(encoded(line))
            elif run.recipe.controls and isinstance(line, InputRow):
                drawn.add(line)
    return _Counted(counter.summary(), places, drawn.rows())


def _check(run: Run, summary: DatasetSummary) -> None:
    local = run.stand_ins != StandIns()
    place = run.input.key.rpartition("/")[2] if local else run.input.uri
    check_summary(summary, place, run.most_failed, local=local)


def _write_rows(files: FilesOf, jobs: Sequence[PlannedJob]) -> None:
    """Each row into the files of the jobs that are given it."""
    recipe = files.run.recipe
    if recipe.stop:
        _write_by_rank(files, jobs)
    elif recipe.many:
        for pair in recipe.compared:
            write_in_order(files, [job for job in jobs if job.pair == pair], files.rows())
    elif jobs and any(job.data for job in jobs):
        write_in_order(files, jobs, files.rows())


def _write_by_rank(files: FilesOf, jobs: Sequence[PlannedJob]) -> None:
    """Write each job's rows as a sample of all: judging may stop early. A few files at once."""
    ordered = sorted(jobs, key=lambda job: job.first)
    ranks = judging_ranks(files.rows(), files.run.recipe.statistics.seed)
    for start in range(0, len(ordered), FILES_AT_ONCE):
        part = ordered[start : start + FILES_AT_ONCE]
        with contextlib.ExitStack() as open_files:
            add_to = [open_files.enter_context(files_of_job(files, job)) for job in part]
            for rank, row in zip(ranks.tolist(), files.rows(), strict=True):
                for job, add in zip(part, add_to, strict=True):
                    if job.first <= rank < job.last:
                        add(row)


def _request(run: Run, kind: Kind[Any], job: PlannedJob, deployment: Deployment) -> StateJob:
    """Write a job's record and the files beside its data; returns what the state machine sends."""
    request = kind.request(run, job, deployment)
    for key, content in request.files:
        s3.write(deployment.bucket, key, content)
    s3.write_record(deployment.bucket, RunLayout(run.run_id).judge_job(job.number), job)
    body = _encrypted(request.state_body or request.body, deployment.kms_key)
    return StateJob(job.number, body)


def _encrypted(body: dict[str, Any], key: str) -> dict[str, Any]:
    """A training job's request with the stage's key; for Bedrock's the state machine names it."""
    output = body.get("OutputDataConfig", {})
    if not key or "S3OutputPath" not in output:
        return body
    return {**body, "OutputDataConfig": {**output, "KmsKeyId": key}}


def check_state_size(jobs: Sequence[object]) -> None:
    """Raise RecipeError where the requests of a run's jobs are more than a state can hold."""
    size = len(msgspec.json.encode(jobs))
    if size > MOST_STATE_BYTES:
        raise RecipeError(
            f"the requests of {count_of(len(jobs), 'job takes', 'jobs take')} {size:,} bytes, the "
            f"state machine can carry {MOST_STATE_BYTES:,}: ask for fewer, larger jobs "
            "(judge.max_rows_per_job, judge.bedrock.prompts_per_job), or for fewer or shorter "
            "custom metrics"
        )
