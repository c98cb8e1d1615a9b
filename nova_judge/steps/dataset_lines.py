"""The lines of a run's input with the answers that were generated to them."""

from collections.abc import Iterator

import msgspec

from nova_judge.aws import s3
from nova_judge.inputs.shard_rows import decode_shard_rows
from nova_judge.inputs.shards import Shard
from nova_judge.layout import RunLayout
from nova_judge.pairs.judge_dataset import DatasetCounter, JudgeLine, decode_responses, merged
from nova_judge.runs.run import Run


def all_lines(run: Run, bucket: str, counter: DatasetCounter) -> Iterator[JudgeLine]:
    """Every line of the input, shard by shard, with the generated answers filled in.

    Holds one shard's rows; the answers, which may be much longer, stream through.
    """
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
