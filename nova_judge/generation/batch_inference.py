"""Bedrock batch inference for one shard: files in, files out, about half the price of calls.

A batch job fills the answer store; whatever it did not answer is then asked by calls as in every
other run. So a shard ends the same way, however its answers came about.
(https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html)
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from nova_judge.errors import GenerationFailedError
from nova_judge.recipe.recipe import Generation

FEWEST_RECORDS = 100
MOST_RECORDS = 50_000
"""Records of one job: the default service quotas of most models, both ends."""
SHARD_BYTES = 32 * 1024**2
"""A job has to be worth its start: shards of a run with batch inference are at least this large."""

WAITING = frozenset({"Submitted", "Validating", "Scheduled", "InProgress", "Stopping"})
ENDED = frozenset({"Completed", "PartiallyCompleted", "Expired"})


class BatchState(msgspec.Struct, frozen=True):
    """What became of one candidate's prompts in one shard: the ARNs of its jobs."""

    jobs: tuple[str, ...]
    collected: bool = False


class JobStatus(NamedTuple):
    """A job's status in Bedrock's words, and its message."""

    status: str
    message: str = ""


def answers_in_batch(generation: Generation, rows: float) -> bool:
    """Whether so many rows are at or above the recipe's threshold for batch inference."""
    return generation.batch_from is not None and rows >= generation.batch_from


def parts(indices: Sequence[int]) -> list[Sequence[int]]:
    """The prompts as jobs that the quotas allow: equal parts, or none for too few."""
    if len(indices) < FEWEST_RECORDS:
        return []
    count = -(-len(indices) // MOST_RECORDS)
    size = -(-len(indices) // count)
    return [indices[start : start + size] for start in range(0, len(indices), size)]


def input_lines(
    indices: Iterable[int], prompts: Sequence[str], request: dict[str, Any]
) -> Iterator[bytes]:
    """One record a prompt. Its id is its place in the shard, because the order is not kept."""
    for index in indices:
        messages = [{"role": "user", "content": [{"text": prompts[index]}]}]
        record = {"recordId": f"ROW{index:08d}", "modelInput": {"messages": messages, **request}}
        yield msgspec.json.encode(record) + b"\n"


class _Output(msgspec.Struct):
    recordId: str
    modelOutput: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(_Output)


def outputs(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """The Converse responses in a job's output by the prompts' places; failed records left out."""
    for line in content.splitlines():
        record = _decoder.decode(line)
        if record.modelOutput is not None:
            yield int(record.recordId.removeprefix("ROW")), record.modelOutput


def all_ended(jobs: Iterable[JobStatus]) -> bool:
    """Whether nothing is left to wait for; GenerationFailedError where a job failed."""
    jobs = list(jobs)
    for job in jobs:
        if job.status not in WAITING | ENDED:
            raise GenerationFailedError(
                f"batch inference ended as {job.status}: {job.message or 'without a message'}. "
                "Mend it and ask for the run again, or leave `generation.batch_from` out"
            )
    return all(job.status in ENDED for job in jobs)


def job_name(prefix: str, run_id: str, attempt: str, place: str) -> str:
    """A name of at most 63 characters, one a run's attempt and place."""
    suffix = f"-{attempt}-{place}"
    return f"{prefix}-{run_id}"[: 63 - len(suffix)].rstrip("-") + suffix
