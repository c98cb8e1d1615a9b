"""The data that a run's jobs read, and the requests that start them.

The input is read twice: what cannot be used is set aside and the rest is counted, then the jobs are
planned over that many rows and their files written. One shard's rows are held at a time; the
answers, which may be much longer, stream through.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from nova_judge.aws import s3
from nova_judge.inputs.shard_rows import decode_shard_rows
from nova_judge.inputs.shards import Shard, cut
from nova_judge.kinds.job import IN_CHILDREN, Api, Deployment, PlannedJob
from nova_judge.kinds.kind import Kind
from nova_judge.kinds.known import kind_of
from nova_judge.layout import RunLayout
from nova_judge.pairs.controls import CONTROL_ROWS, Control, control_rows
from nova_judge.pairs.judging_order import judging_ranks
from nova_judge.records import FailedRow, InputRow, Rejected
from nova_judge.runs.rows import (
    DatasetCounter,
    DatasetSummary,
    JudgeLine,
    check_summary,
    decode_responses,
    merged,
)
from nova_judge.runs.run import Run, StandIns
from nova_judge.runs.state_size import check_state_size

FILES_AT_ONCE = 8
ASKED_SHARD_BYTES = 4 * 1024**2
"""Of the prompts that a judge is asked in one function's shard: some hundred rows."""


class StateJob(msgspec.Struct, frozen=True):
    """A job as the state machine can carry it: its number, and what it asks AWS for."""

    number: int
    request: dict[str, Any]


class BuiltJobs(NamedTuple):
    """The requests of a run's jobs: those that start at once, and those that may be needed later.

    `done`: how many of the jobs that judge rows are among the first. `requests`: the key of a file
    with the first ones, in place of `jobs`, where each gets a child execution of its own.
    """

    api: Api
    jobs: list[StateJob]
    later: list[StateJob]
    done: int
    requests: str = ""


def build_jobs(run: Run, deployment: Deployment) -> BuiltJobs:
    """Write everything that the jobs of a run read, and say what to ask AWS for.

    With `stop: when_decided` one job starts at once, beside those of controls. Raises
    GenerationFailedError or InputFileError where the rows are not worth a job.
    """
    kind, bucket = kind_of(run.recipe.kind), deployment.bucket
    summary = DatasetCounter().summary()
    if kind.needs_file(run.recipe):
        summary = _set_aside(run, kind, bucket)
        _write_summary(run, bucket, summary)
        local = run.stand_ins != StandIns()
        place = run.input.key.rpartition("/")[2] if local else run.input.uri
        check_summary(summary, place, run.most_failed, local=local)
    jobs = kind.jobs(run, summary.rows)
    rows, controls = _parted(jobs)
    names = tuple(job.label for job in controls)
    summary = msgspec.structs.replace(summary, jobs=len(rows), controls=names)
    _write_summary(run, bucket, summary)
    _write_rows(run, kind, rows, bucket)
    for job in controls:
        _write_control(run, kind, job, rows, bucket)
    requests = [_request(run, kind, job, deployment) for job in jobs]
    if jobs[0].api in IN_CHILDREN:
        key = RunLayout(run.run_id).job_requests
        s3.write(bucket, key, msgspec.json.encode(requests), "application/json")
        return BuiltJobs(jobs[0].api, [], [], len(rows), key)
    check_state_size(requests)
    at_once = 1 if run.recipe.stop else len(rows)
    requests = _freeing(requests[:at_once] + requests[len(rows) :] + requests[at_once : len(rows)])
    first = at_once + len(controls)
    return BuiltJobs(jobs[0].api, requests[:first], requests[first:], at_once)


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


def all_lines(run: Run, bucket: str, counter: DatasetCounter) -> Iterator[JudgeLine]:
    """Every line of the input, shard by shard, with the generated answers filled in."""
    layout = RunLayout(run.run_id)
    lines_before = 0
    for shard in msgspec.json.decode(s3.read(bucket, layout.shards), type=list[Shard]):
        rows = decode_shard_rows(s3.read(bucket, layout.rows(shard.index)))
        keys = {c: layout.responses(c, shard.index) for c in run.generated() if rows.rows}
        responses = {
            candidate: counter.counted(
                candidate, decode_responses(s3.lines(s3.describe(bucket, key)))
            )
            for candidate, key in keys.items()
        }
        yield from merged(rows, responses, lines_before)
        lines_before += rows.lines


def _lines(run: Run, kind: Kind[Any], bucket: str, counter: DatasetCounter) -> Iterator[Any]:
    """The lines of the input: rows of the kind, and what is to be set aside."""
    if kind.generates:
        return all_lines(run, bucket, counter)
    item = s3.S3Object(*msgspec.structs.astuple(run.rows_in))
    return kind.rows(run.recipe, s3.stream(item, 0), item.size, run.sources)


def _set_aside(run: Run, kind: Kind[Any], bucket: str) -> DatasetSummary:
    """Count the rows; write down the lines that cannot be used and the rows without answers."""
    layout, counter = RunLayout(run.run_id), DatasetCounter()
    with (
        s3.ObjectWriter(bucket, layout.rejected) as rejected,
        s3.ObjectWriter(bucket, layout.failed) as failed,
    ):
        for line in _lines(run, kind, bucket, counter):
            counter.count(line)
            if isinstance(line, FailedRow):
                failed.write(_encoded(line))
            elif isinstance(line, Rejected):
                rejected.write(_encoded(line))
    return counter.summary()


def _write_summary(run: Run, bucket: str, summary: DatasetSummary) -> None:
    key = RunLayout(run.run_id).dataset
    s3.write(bucket, key, msgspec.json.encode(summary), "application/json")


def _parted(jobs: Sequence[PlannedJob]) -> tuple[list[PlannedJob], list[PlannedJob]]:
    """The jobs of the rows, and those of the controls, which follow them."""
    controls = [job for job in jobs if job.step == "control"]
    return list(jobs[: len(jobs) - len(controls)]), controls


def _write_rows(run: Run, kind: Kind[Any], jobs: Sequence[PlannedJob], bucket: str) -> None:
    """Each row into the files of the jobs that are given it; jobs may share a file."""
    files = {job.data: job for job in jobs if job.data is not None}
    ordered = sorted(files.values(), key=lambda job: job.first)
    if run.recipe.stop:
        _write_by_rank(run, kind, ordered, bucket)
        return
    if run.recipe.many:
        for pair in run.recipe.compared:
            own = [job for job in ordered if job.pair == pair]
            _write_in_order(run, kind, own, bucket)
        return
    _write_in_order(run, kind, ordered, bucket)


def _write_in_order(run: Run, kind: Kind[Any], ordered: Sequence[PlannedJob], bucket: str) -> None:
    rows = _rows(run, kind, bucket) if ordered else iter(())
    for first, same in itertools.groupby(ordered, key=lambda job: job.first):
        part = list(same)
        with contextlib.ExitStack() as files_of_part:
            add_to = [
                files_of_part.enter_context(_files_of(run, kind, job, bucket)) for job in part
            ]
            for row in itertools.islice(rows, part[0].last - first):
                for add in add_to:
                    add(row)


def _write_by_rank(run: Run, kind: Kind[Any], ordered: Sequence[PlannedJob], bucket: str) -> None:
    """Write each job's rows as a sample of all: judging may stop early. A few files at once."""
    ranks = judging_ranks(_rows(run, kind, bucket), run.recipe.statistics.seed)
    for start in range(0, len(ordered), FILES_AT_ONCE):
        part = ordered[start : start + FILES_AT_ONCE]
        with contextlib.ExitStack() as open_files:
            add_to = [open_files.enter_context(_files_of(run, kind, job, bucket)) for job in part]
            for rank, row in zip(ranks.tolist(), _rows(run, kind, bucket), strict=True):
                for job, add in zip(part, add_to, strict=True):
                    if job.first <= rank < job.last:
                        add(row)


def _rows(run: Run, kind: Kind[Any], bucket: str) -> Iterator[Any]:
    """The rows that are sent, in the order of the file."""
    lines = _lines(run, kind, bucket, DatasetCounter())
    return (line for line in lines if not isinstance(line, FailedRow | Rejected))


def _write_control(
    run: Run, kind: Kind[Any], job: PlannedJob, judging: Sequence[PlannedJob], bucket: str
) -> None:
    """The files of a control: rows made of those that are judged, which no candidate should win."""
    sent = (
        msgspec.json.decode(line, type=InputRow)
        for one in judging
        for line in s3.lines(s3.describe(bucket, one.rows or ""))
    )
    rows = control_rows(sent, Control(job.label), CONTROL_ROWS, run.recipe.statistics.seed)
    with _files_of(run, kind, job, bucket) as add:
        for row in rows:
            add(row)


@contextlib.contextmanager
def _files_of(
    run: Run, kind: Kind[Any], job: PlannedJob, bucket: str
) -> Iterator[Callable[[object], None]]:
    """A function that adds a row to what a job reads, and to what is kept for its results."""
    with (
        s3.ObjectWriter(bucket, job.data or "") as data,
        s3.ObjectWriter(bucket, job.rows or "") as rows,
    ):

        def add(row: object) -> None:
            line = kind.data_line(run, row, job)
            data.write(line.sent)
            rows.write(_encoded(line.kept))

        yield add


def _request(run: Run, kind: Kind[Any], job: PlannedJob, deployment: Deployment) -> StateJob:
    """Write a job's record and the files beside its data; returns what the state machine sends."""
    request = kind.request(run, job, deployment)
    for key, content in request.files:
        s3.write(deployment.bucket, key, content)
    layout = RunLayout(run.run_id)
    record = msgspec.json.encode(job)
    s3.write(deployment.bucket, layout.judge_job(job.number), record, "application/json")
    if job.api == "calls":
        size = s3.describe(deployment.bucket, job.data or "").size
        shards = msgspec.json.encode(list(cut(size, ASKED_SHARD_BYTES)))
        s3.write(deployment.bucket, layout.judge_shards(job.number), shards, "application/json")
    body = _encrypted(request.state_body or request.body, deployment.kms_key)
    return StateJob(job.number, body)


def _encrypted(body: dict[str, Any], key: str) -> dict[str, Any]:
    """A training job's request with the stage's key; for Bedrock's the state machine names it."""
    output = body.get("OutputDataConfig", {})
    if not key or "S3OutputPath" not in output:
        return body
    return {**body, "OutputDataConfig": {**output, "KmsKeyId": key}}


def _encoded(record: object) -> bytes:
    return msgspec.json.encode(record) + b"\n"
