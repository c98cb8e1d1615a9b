"""The files that a run's jobs read, each written from the shards that its rows lie in.

One shard's rows are held at a time; the answers, which may be much longer, stream through.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from nova_judge.aws import s3
from nova_judge.inputs.dataset import Shard, ShardRows, cut
from nova_judge.kinds.job import PlannedJob
from nova_judge.kinds.kind import Kind
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.layout import RunLayout
from nova_judge.records import FailedRow, Rejected
from nova_judge.runs.row_accounting import DatasetCounter, JudgeLine, decode_responses, merged
from nova_judge.runs.run import Run

ASKED_SHARD_BYTES = 4 * 1024**2
"""Of the prompts that a judge is asked in one function's shard: some hundred rows."""


class ShardBegin(msgspec.Struct, frozen=True):
    """Place of a shard in the file: the lines and the usable rows of those before it."""

    shard: int = 0
    lines: int = 0
    rows: int = 0


FIRST = ShardBegin()


class FilePiece(msgspec.Struct, frozen=True):
    """Jobs that are given the same rows, and the shard in which these begin."""

    jobs: tuple[int, ...]
    begins: ShardBegin


class FilesOf(NamedTuple):
    """A run whose jobs' files are written, with its kind and its bucket."""

    run: Run
    kind: Kind[Any]
    bucket: str

    def rows(self, begins: ShardBegin = FIRST) -> Iterator[Any]:
        """The rows that are sent, in the order of the file, from this shard on."""
        lines = self.lines(DatasetCounter(), begins)
        return (line for line in lines if not isinstance(line, FailedRow | Rejected))

    def lines(
        self,
        counter: DatasetCounter,
        begins: ShardBegin = FIRST,
        places: list[ShardBegin] | None = None,
    ) -> Iterator[Any]:
        """The lines of the input: rows of the kind, and what is to be set aside.

        `places` takes where each shard begins, by the rows that `counter` has counted.
        """
        if self.kind.generates:
            return self._of_shards(counter, begins, places)
        run = self.run
        chunks = s3.stream(run.rows_in, 0)
        return self.kind.rows(run.recipe, chunks, run.rows_in.size, run.sources)

    def _of_shards(
        self, counter: DatasetCounter, begins: ShardBegin, places: list[ShardBegin] | None
    ) -> Iterator[JudgeLine]:
        """Every line, shard by shard, with the generated answers filled in."""
        layout, lines_before = RunLayout(self.run.run_id), begins.lines
        shards = s3.read_record(self.bucket, layout.shards, list[Shard])
        for shard in shards[begins.shard :]:
            if places is not None:
                places.append(ShardBegin(shard.index, lines_before, counter.rows))
            rows = s3.read_record(self.bucket, layout.rows(shard.index), ShardRows)
            keys = {c: layout.responses(c, shard.index) for c in self.run.generated() if rows.rows}
            responses = {
                candidate: counter.counted(
                    candidate, decode_responses(s3.lines(s3.describe(self.bucket, key)))
                )
                for candidate, key in keys.items()
            }
            yield from merged(rows, responses, lines_before)
            lines_before += rows.lines


def pieces_of(jobs: Sequence[PlannedJob], places: Sequence[ShardBegin]) -> Iterator[FilePiece]:
    """The files of these jobs of rows as pieces that can be written side by side."""
    ordered = sorted(jobs, key=lambda job: (job.first, job.number))
    for first, same in itertools.groupby(ordered, key=lambda job: job.first):
        begins = max(
            (place for place in places if place.rows <= first), key=lambda place: place.shard
        )
        yield FilePiece(tuple(job.number for job in same), begins)


def write_piece(run: Run, bucket: str, piece: FilePiece) -> int:
    """Write the files of a piece's jobs; the number of its rows."""
    files, layout = FilesOf(run, kind_of(run.recipe.kind), bucket), RunLayout(run.run_id)
    keys = map(layout.judge_job, piece.jobs)
    jobs = [s3.read_record(bucket, key, PlannedJob) for key in keys]
    first = jobs[0].first - piece.begins.rows
    rows = itertools.islice(files.rows(piece.begins), first, None)
    write_in_order(files, jobs, rows)
    cut_asked(files, jobs)
    return jobs[0].last - jobs[0].first


def write_in_order(files: FilesOf, jobs: Sequence[PlannedJob], rows: Iterator[Any]) -> None:
    """Each row into the files of the jobs that are given it, which may share a file."""
    distinct = {job.data: job for job in jobs if job.data is not None}
    ordered = sorted(distinct.values(), key=lambda job: job.first)
    for first, same in itertools.groupby(ordered, key=lambda job: job.first):
        part = list(same)
        write_rows(files, part, itertools.islice(rows, part[0].last - first))


def write_rows(files: FilesOf, jobs: Sequence[PlannedJob], rows: Iterable[Any]) -> None:
    """All of these rows into the file of each job."""
    with contextlib.ExitStack() as stack:
        add_to = [stack.enter_context(files_of_job(files, job)) for job in jobs]
        for row in rows:
            for add in add_to:
                add(row)


@contextlib.contextmanager
def files_of_job(files: FilesOf, job: PlannedJob) -> Iterator[Callable[[object], None]]:
    """A function that adds a row to what a job reads, and to what is kept for its results."""
    with (
        s3.ObjectWriter(files.bucket, job.data or "") as data,
        s3.ObjectWriter(files.bucket, job.rows or "") as rows,
    ):

        def add(row: object) -> None:
            line = files.kind.data_line(files.run, row, job)
            data.write(line.sent)
            rows.write(encoded(line.kept))

        yield add


def cut_asked(files: FilesOf, jobs: Sequence[PlannedJob]) -> None:
    """Cut the files of jobs whose rows are asked by calls, once they are written."""
    layout = RunLayout(files.run.run_id)
    for job in jobs:
        if job.api == "calls":
            size = s3.describe(files.bucket, job.data or "").size
            shards = list(cut(size, ASKED_SHARD_BYTES))
            s3.write_record(files.bucket, layout.judge_shards(job.number), shards)


def encoded(record: object) -> bytes:
    """A record as a line."""
    return msgspec.json.encode(record) + b"\n"
