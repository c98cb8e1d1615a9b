"""From a run's candidates to the models that answer and the journals that keep their answers."""

from collections.abc import Iterable, Sequence

from nova_judge.answers.answer_store import AnswerJournal, ShardPlace
from nova_judge.answers.answers import model_name
from nova_judge.answers.lane import MOST_THREADS, AnswerSource
from nova_judge.answers.prompts import prompt_maker
from nova_judge.answers.retries import RetryPolicy
from nova_judge.aws.s3 import BucketObjects
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.records import InputRow
from nova_judge.runs.run import Run
from nova_judge.sources.known_sources import CANDIDATE, source_of
from nova_judge.sources.source import Ways

ENDPOINT_IN_FLIGHT = 256
"""Calls at once that fill one instance: vLLM's default number of sequences in a batch."""
SHARDS_AT_ONCE = 16
"""`MaxConcurrency` of the states GenerateResponses and JudgeRows."""


def sources(
    run: Run, shard: int, bucket: str, ways: Ways, asked: Iterable[str]
) -> dict[str, AnswerSource]:
    """The candidates that are `asked`, with their answers kept in `bucket`."""
    objects = BucketObjects(bucket)
    return {
        candidate: _source(run, candidate, ShardPlace(run.run_id, shard), objects, ways)
        for candidate in asked
    }


def prompts(run: Run, rows: Sequence[InputRow], asked: Iterable[str]) -> dict[str, list[str]]:
    """The prompt of every row, as each of the candidates is asked."""
    makers = {candidate: prompt_maker(run.recipe.candidate(candidate)) for candidate in asked}
    return {candidate: [made(row) for row in rows] for candidate, made in makers.items()}


def _source(
    run: Run, candidate: str, place: ShardPlace, objects: BucketObjects, ways: Ways
) -> AnswerSource:
    spec, how = run.recipe.candidate(candidate), run.recipe.generation_for(candidate)
    return AnswerSource(
        port=source_of(spec).port(spec, how, ways),
        journal=AnswerJournal(
            objects, kept_as(run, candidate), place, execution=run.execution, reuse=not run.no_cache
        ),
        policy=RetryPolicy(most_tries=how.tries, slow_s=how.call_timeout_s / 2),
        call_timeout_s=how.call_timeout_s,
        threads=threads_of(spec, sum(1 for _ in run.shards())),
    )


def kept_as(run: Run, candidate: str) -> str:
    """The name under which a candidate's answers are kept."""
    weights = run.kept_as(f"{CANDIDATE}{candidate}", run.recipe.candidate(candidate))
    return model_name(weights, run.recipe.generation_for(candidate))


def threads_of(model: AskedModel, shards: int) -> int:
    """An endpoint or server is shared by all shards under way; Bedrock has limits of its own."""
    if not source_of(model).shared:
        return MOST_THREADS
    share = ENDPOINT_IN_FLIGHT // max(1, min(SHARDS_AT_ONCE, shards))
    return min(MOST_THREADS, share)
