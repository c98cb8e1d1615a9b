"""One shard of a job whose judge is asked by calls: its prompts and the replies to them."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from nova_judge.answers.answer_store import AnswerJournal, ShardPlace
from nova_judge.answers.answers import AnswerOutcome, model_name
from nova_judge.answers.generate import generate
from nova_judge.answers.lane import AnswerSource
from nova_judge.answers.retries import RetryPolicy
from nova_judge.aws import s3
from nova_judge.aws.batch_jobs import BatchPlace
from nova_judge.aws.s3 import BucketObjects
from nova_judge.errors import JudgeJobError
from nova_judge.inputs.dataset import MOST_SHARDS, Shard, shard_lines
from nova_judge.kinds.asked_pairs import asked_file, asked_model, judge_place, judges_in_batch
from nova_judge.kinds.job import PlannedJob
from nova_judge.layout import RunLayout
from nova_judge.pairs.controls import Control
from nova_judge.pairs.judge_asking import AskedPair, judge_generation
from nova_judge.runs.row_accounting import Response
from nova_judge.runs.run import Run
from nova_judge.sources.schema_if_taken import port_by_schema
from nova_judge.sources.source import Ways
from nova_judge.steps.batch_shard import BatchShard, step
from nova_judge.steps.candidates import threads_of
from nova_judge.steps.shard_files import response_of

JUDGE = "the judge"
MOST_LINE_BYTES = 32 << 20
"""Two prompts of a row whose answers have a megabyte each."""


class PairReplies(msgspec.Struct, frozen=True, omit_defaults=True):
    """The judge's replies to the two orders of one row; None for a row that cannot be asked."""

    forward: Response | None = None
    backward: Response | None = None


class AskedShard(NamedTuple):
    """One shard of one job of a run."""

    run: Run
    bucket: str
    number: int
    shard: Shard

    def pairs(self) -> list[AskedPair]:
        """The rows of the shard, as the judge is asked them."""
        item = s3.describe(self.bucket, asked_file(self.run, self.number))
        chunks = s3.stream(item, max(self.shard.start - 1, 0))
        decoder = msgspec.json.Decoder(AskedPair)
        return [
            decoder.decode(_whole(line.content))
            for line in shard_lines(chunks, self.shard, MOST_LINE_BYTES)
        ]


class ShardLeft(NamedTuple):
    """Replies that are still to come; `wait`: a batch job is at work on them.

    `measures` of a shard that is done, by the names of `nova_judge.measures`.
    """

    left: int
    wait: bool = False
    measures: Mapping[str, float] = {}


def ask_shard(
    asked: AskedShard, ways: Ways, time_left: Callable[[], float], place: BatchPlace
) -> ShardLeft:
    """Ask the judge what it has not been asked, and keep the replies once there are all.

    Raises GenerationFailedError where asking further would bring nothing.
    """
    pairs = asked.pairs()
    asked_of = [pair for pair in pairs if not pair.missing]
    prompts = [prompt for pair in asked_of for prompt in (pair.forward, pair.backward)]
    source = _source(asked, ways)
    if _in_batch(asked) and not _batch_is_done(asked, prompts, source, place):
        return ShardLeft(len(prompts), wait=True)
    generated = generate({JUDGE: prompts}, {JUDGE: source}, time_left=time_left)
    if generated.left:
        return ShardLeft(generated.left)
    _write(asked, pairs, iter(generated.outcomes[JUDGE]))
    return ShardLeft(0, measures=_measures(generated.measures))


def _measures(of_calls: Mapping[str, float]) -> dict[str, float]:
    """Measures of calls to a judge, whose replies are not answers of a candidate."""
    names = {"RowsAnswered": "JudgeReplies", "RowsFailed": "JudgeRepliesFailed"}
    return {names.get(name, name): value for name, value in of_calls.items()}


def _job(asked: AskedShard) -> PlannedJob:
    key = RunLayout(asked.run.run_id).judge_job(asked.number)
    return s3.read_record(asked.bucket, key, PlannedJob)


def _in_batch(asked: AskedShard) -> bool:
    job = _job(asked)
    recipe = asked.run.recipe
    return judges_in_batch(recipe, asked_model(recipe, asked.number), job.last - job.first)


def _batch_is_done(
    asked: AskedShard, prompts: list[str], source: AnswerSource, place: BatchPlace
) -> bool:
    """One step of the shard's batch; it is asked in words alone, as a refusal would cost a job."""
    how = judge_generation(asked.run.recipe.judge)
    shard = BatchShard(
        asked.run,
        f"judge{asked.number}",
        asked_model(asked.run.recipe, asked.number).model,
        msgspec.structs.replace(how, json_schema=None),
        asked.shard.index,
        asked.bucket,
        place,
    )
    return step(shard, prompts, source.journal).done


def _source(asked: AskedShard, ways: Ways) -> AnswerSource:
    run, how = asked.run, judge_generation(asked.run.recipe.judge)
    model = asked_model(run.recipe, asked.number)
    # An earlier reply would agree with itself: rows that are shown again are asked again.
    again = _job(asked).label == Control.REPEAT
    ways = ways.afresh() if again else ways
    key = RunLayout(run.run_id).judge_shards(asked.number)
    place = ShardPlace(run.run_id, asked.number * MOST_SHARDS + asked.shard.index)
    return AnswerSource(
        port=port_by_schema(model, how, ways),
        journal=AnswerJournal(
            BucketObjects(asked.bucket),
            model_name(run.kept_as(judge_place(run.recipe, asked.number), model), how),
            place,
            execution=run.execution,
            reuse=not (run.no_cache or again),
        ),
        policy=RetryPolicy(most_tries=how.tries, slow_s=how.call_timeout_s / 2),
        call_timeout_s=how.call_timeout_s,
        threads=threads_of(model, len(s3.read_record(asked.bucket, key, list[Shard]))),
    )


def _write(
    asked: AskedShard, pairs: list[AskedPair], outcomes: Iterator[AnswerOutcome | None]
) -> None:
    key = RunLayout(asked.run.run_id).judge_replies(asked.number, asked.shard.index)
    with s3.ObjectWriter(asked.bucket, key) as file:
        for pair in pairs:
            replies = PairReplies()
            if not pair.missing:
                replies = PairReplies(response_of(next(outcomes)), response_of(next(outcomes)))
            file.write(msgspec.json.encode(replies) + b"\n")


def _whole(content: bytes | None) -> bytes:
    if content is None:
        raise JudgeJobError(f"a row's prompts have more than {MOST_LINE_BYTES:,} bytes")
    return content
