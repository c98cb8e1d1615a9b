"""The files of one shard: its lines in the input, its rows and its responses."""

from collections.abc import Iterable

import msgspec

from nova_judge.answers.answers import Answer, AnswerOutcome, lasting
from nova_judge.aws import s3
from nova_judge.inputs.dataset import Shard, ShardRows, read_shard
from nova_judge.inputs.reading import reading_of
from nova_judge.layout import RunLayout
from nova_judge.runs.row_accounting import Response
from nova_judge.runs.run import Run


def read_rows(run: Run, shard: Shard) -> ShardRows:
    """The rows of the shard's own lines."""
    chunks = s3.stream(run.rows_in, max(shard.start - 1, 0))
    return read_shard(chunks, shard, run.sources, reading_of(run.recipe))


def write_rows(bucket: str, run: Run, shard: Shard, rows: ShardRows) -> None:
    """Keep the rows for the states that follow."""
    s3.write_record(bucket, RunLayout(run.run_id).rows(shard.index), rows)


def write_responses(
    bucket: str,
    run: Run,
    shard: Shard,
    candidate: str,
    outcomes: Iterable[AnswerOutcome | None],
) -> None:
    """One line per row, in the order of the rows, written as they are encoded."""
    with s3.ObjectWriter(bucket, RunLayout(run.run_id).responses(candidate, shard.index)) as file:
        for outcome in outcomes:
            file.write(msgspec.json.encode(response_of(outcome)) + b"\n")


def response_of(outcome: AnswerOutcome | None) -> Response:
    """What is kept of an answer, or of its failure."""
    if isinstance(outcome, Answer):
        return Response(answer=lasting(outcome))
    return Response(failed=outcome)
