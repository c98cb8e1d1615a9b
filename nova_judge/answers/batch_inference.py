"""Bedrock batch inference for one shard: files in, files out, about half the price of calls.

A batch job fills the answer store; whatever it did not answer is then asked by calls as in every
other run. So a shard ends the same way, however its answers came about.
(https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html)
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from nova_judge.answers.converse import ConverseRequest
from nova_judge.answers.prompts import prompt_name
from nova_judge.errors import GenerationFailedError
from nova_judge.recipe.recipe import Generation

FEWEST_RECORDS = 100
MOST_RECORDS = 50_000
"""Records of one job: the default service quotas of most models, both ends."""
SHARD_BYTES = 8 * 1024**2
"""A job has to be worth its start: shards of a run with batch inference are at least this large.

Not larger, because one function holds a shard's answers: 84,000 rows of 100 bytes make two jobs,
and with 2,000 characters an answer from both candidates 430 MB.
"""

WAITING = frozenset({"Submitted", "Validating", "Scheduled", "InProgress", "Stopping"})
ENDED = frozenset({"Completed", "PartiallyCompleted", "Expired"})


class BatchState(msgspec.Struct, frozen=True):
    """State of one candidate's prompts in one shard: the ARNs of its jobs.

    `prompts` names the shard's prompts (see `prompts_name`), whose places the jobs' records hold.
    """

    jobs: tuple[str, ...]
    prompts: str = ""
    collected: bool = False


class JobStatus(NamedTuple):
    """A job's status in Bedrock's words, and its message."""

    status: str
    message: str = ""


def answers_in_batch(generation: Generation, rows: float) -> bool:
    """True if so many rows are at or above the recipe's threshold for batch inference."""
    return generation.batch_from is not None and rows >= generation.batch_from


def parts(indices: Sequence[int]) -> list[Sequence[int]]:
    """The prompts as jobs that the quotas allow: equal parts, or none for too few."""
    if len(indices) < FEWEST_RECORDS:
        return []
    count = -(-len(indices) // MOST_RECORDS)
    size = -(-len(indices) // count)
    return [indices[start : start + size] for start in range(0, len(indices), size)]


def prompts_name(prompts: Iterable[str]) -> str:
    """Equal names stand for the same prompts at the same places."""
    names = hashlib.sha256()
    for prompt in prompts:
        names.update(prompt_name(prompt))
    return names.hexdigest()[:32]


def input_lines(
    indices: Iterable[int], prompts: Sequence[str], request: ConverseRequest
) -> Iterator[bytes]:
    """One record per prompt. Its id is its place in the shard, because the order is not kept."""
    for index in indices:
        record = {"recordId": f"ROW{index:08d}", "modelInput": request.to(prompts[index])}
        yield msgspec.json.encode(record) + b"\n"


class _Output(msgspec.Struct):
    recordId: str
    modelOutput: object = None


class BatchResponse(NamedTuple):
    """The Converse response to the prompt at one place of the shard; None for an error in it."""

    place: int
    output: object


_decoder = msgspec.json.Decoder(_Output)


def responses(lines: Iterable[bytes], prompts: int) -> Iterator[BatchResponse | None]:
    """Read the lines of a job's output; None for a line that belongs to no prompt.

    Such a line is cut off or damaged, or names a place beyond the shard's `prompts`.
    """
    for line in filter(bytes.strip, lines):
        try:
            record = _decoder.decode(line)
            place = int(record.recordId.removeprefix("ROW"))
        except ValueError:
            yield None
            continue
        yield BatchResponse(place, record.modelOutput) if 0 <= place < prompts else None


def all_ended(jobs: Iterable[JobStatus]) -> bool:
    """True if nothing is left to wait for."""
    return not any(job.status in WAITING for job in jobs)


def check_ended(jobs: Iterable[JobStatus]) -> None:
    """Raise GenerationFailedError where a job ended in failure."""
    for job in jobs:
        if job.status not in ENDED:
            raise GenerationFailedError(
                f"batch inference ended as {job.status}: {job.message or 'without a message'}. "
                "Correct it and request the run again, or leave `generation.batch_from` out; what "
                "was answered is kept"
            )


def job_name(prefix: str, run_id: str, attempt: str, place: str) -> str:
    """A name of at most 63 characters, one per attempt and place of a run."""
    suffix = f"-{attempt}-{place}"
    return f"{prefix}-{run_id}"[: 63 - len(suffix)].rstrip("-") + suffix
