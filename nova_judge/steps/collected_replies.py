"""The replies of a judge that was asked by calls, written as Nova's container would have."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import orjson

from nova_judge.aws import s3
from nova_judge.errors import JudgeJobError
from nova_judge.inputs.dataset import Shard
from nova_judge.kinds.asked_pairs import asked_file, asked_model
from nova_judge.layout import RunLayout
from nova_judge.pairs.container_details import (
    DETAILS_COLUMNS,
    Detail,
    Numbers,
    WrittenPasses,
    job_numbers,
    pairwise_metrics,
    row_numbers,
    rubric_metrics,
)
from nova_judge.pairs.judge_asking import AskedPair
from nova_judge.pairs.judge_reply import ReadReply, read_answer
from nova_judge.parquet import write_parquet
from nova_judge.recipe.recipe import Judge
from nova_judge.runs.row_accounting import Response
from nova_judge.runs.run import Run
from nova_judge.sources.known_sources import source_of
from nova_judge.steps.judge_shard import PairReplies
from nova_judge.text import count_of

_TASK = "custom|model_judge|0"
_STAMP = "0000-00-00T00-00-00"  # the same job writes the same bytes under the same names

LineRecord = TypeVar("LineRecord")


def collect_verdicts(run: Run, bucket: str, number: int, output: str) -> list[int]:
    """Write details and figures of a job below the key `output`.

    The number of its rows, and the input and output tokens that the judge used. Raises
    JudgeJobError, naming the judge, where it gave not one verdict.
    """
    job = _Job(run, bucket, number)
    read = _ReadReplies(run.recipe.judge)
    with tempfile.TemporaryDirectory(prefix="nova-judge-") as folder:
        file = Path(folder, "details.parquet")
        write_parquet(file, DETAILS_COLUMNS, (read.columns(*asked) for asked in job.rows()))
        read.require_verdicts(_title(run, number))
        key = f"{output}eval_results/details/judge/details_{_TASK}_{_STAMP}.parquet"
        s3.upload(file, bucket, key)
    results = orjson.dumps(
        _results(run, number, job_numbers(read.numbers)), option=orjson.OPT_INDENT_2
    )
    s3.write(bucket, f"{output}eval_results/results_{_STAMP}.json", results, "application/json")
    return [len(read.numbers), read.tokens["input"], read.tokens["output"]]


class _Job(NamedTuple):
    run: Run
    bucket: str
    number: int

    def rows(self) -> Iterator[tuple[AskedPair, PairReplies]]:
        """The rows of the job as they were asked, with their replies."""
        layout = RunLayout(self.run.run_id)
        count = len(s3.read_record(self.bucket, layout.judge_shards(self.number), list[Shard]))
        replies = (
            reply
            for shard in range(count)
            for reply in self._records(layout.judge_replies(self.number, shard), PairReplies)
        )
        asked = self._records(asked_file(self.run, self.number), AskedPair)
        return zip(asked, replies, strict=True)

    def _records(self, key: str, kind: type[LineRecord]) -> Iterator[LineRecord]:
        decoder = msgspec.json.Decoder(kind)
        return map(decoder.decode, s3.lines(s3.describe(self.bucket, key)))


class _ReadReplies:
    """What replies say, row by row; counts of figures, tokens and failures beside it."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._metrics_of = rubric_metrics if judge.rubric else pairwise_metrics
        self.numbers: list[Numbers] = []
        self.tokens: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()

    def columns(self, pair: AskedPair, replies: PairReplies) -> dict[str, object]:
        """One row of the details."""
        forward = self._read(replies.forward, pair.missing)
        backward = self._read(replies.backward, pair.missing)
        passes = WrittenPasses(forward.text, backward.text, forward.error, backward.error)
        self._failures.update(passes.errors().values())
        metrics = self._metrics_of(passes)
        self.numbers.append(row_numbers(passes, metrics))
        shown = f"{pair.shown}\n\n{pair.forward}".strip()
        return Detail(shown, metrics, [passes.forward, passes.backward]).columns()

    def _read(self, response: Response | None, missing: str) -> ReadReply:
        if response is None or response.answer is None:
            failed = response.failed if response is not None else None
            why = f"{failed.reason} {failed.detail}".strip() if failed else missing
            return ReadReply("", f"the judge gave no reply: {why}" if failed else why)
        answer = response.answer
        if not answer.cached:
            self.tokens["input"] += answer.input_tokens or 0
            self.tokens["output"] += answer.output_tokens or 0
        return read_answer(answer, self._judge.rubric)

    def require_verdicts(self, judge: str) -> None:
        """Raise JudgeJobError where no pass of any row has a verdict."""
        if self.numbers and self._failures.total() == 2 * len(self.numbers):
            why, passes = self._failures.most_common(1)[0]
            raise JudgeJobError(
                f"the judge {judge} gave no verdict on any of "
                f"{count_of(len(self.numbers), 'row')}; in {passes:,} passes: {why}"
            )


def _title(run: Run, number: int) -> str:
    model = asked_model(run.recipe, number)
    return source_of(model).title(model)


def _results(run: Run, number: int, figures: Numbers) -> dict[str, Any]:
    words = run.recipe.judge.words
    return {
        "config_general": {
            "model_name": _title(run, number),
            "prompt": words.name,
            "prompt_sha256": words.digest,
        },
        "results": {_TASK: figures, "all": figures},
        "versions": {_TASK: 0},
    }
