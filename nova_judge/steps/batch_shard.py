"""One candidate's batch inference in one shard, a step at a time."""

import contextlib
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from nova_judge.answers.answers import Journal
from nova_judge.answers.batch_inference import (
    BatchState,
    all_ended,
    check_ended,
    input_lines,
    job_name,
    parts,
    prompts_name,
    responses,
)
from nova_judge.answers.converse import answer_of, converse_request
from nova_judge.answers.retries import CallFailed
from nova_judge.aws import batch_jobs, s3
from nova_judge.aws.batch_jobs import BatchPlace
from nova_judge.layout import RunLayout
from nova_judge.recipe.recipe import Generation
from nova_judge.runs.run import Run
from nova_judge.tags import run_tags

INPUT_FILE = "input.jsonl"
_STATE = ".json"


class BatchShard(NamedTuple):
    """Shard of one candidate's answers, or a judge's, and where everything lies.

    `name` tells it from the others of the run.
    """

    run: Run
    name: str
    model: str
    how: Generation
    shard: int
    bucket: str
    place: BatchPlace

    def key(self, *rest: str) -> str:
        """Keys of this model's batch in this shard."""
        return RunLayout(self.run.run_id).batch(self.name, self.shard) + "/".join(rest)

    @property
    def attempt(self) -> str:
        """Differs for every execution, so that a failed run can be asked for again."""
        return hashlib.sha256(self.run.execution.encode()).hexdigest()[:4]


class Progress(NamedTuple):
    """The end of a shard's batch: `unreadable` counts lines of output that belong to no prompt."""

    done: bool
    unreadable: int = 0


def step(batch: BatchShard, prompts: Sequence[str], journal: Journal) -> Progress:
    """Begin the jobs, look at them, or collect their answers.

    What a job left unanswered is not in the journal afterwards, and is for calls to ask. Raises
    GenerationFailedError where a job failed, once all have ended and their answers are kept.
    """
    state_key = batch.key(f"{batch.attempt}{_STATE}")
    state = s3.find_record(batch.bucket, state_key, BatchState)
    unreadable = 0
    if state is None:
        state = _begin(batch, prompts, journal)
        if state is None:
            return Progress(done=False)
    elif not state.collected:
        jobs = [batch_jobs.status(arn) for arn in state.jobs]
        if not all_ended(jobs):
            return Progress(done=False)
        unreadable = _collect(batch, batch.attempt, prompts, journal)
        check_ended(jobs)
        state = msgspec.structs.replace(state, collected=True)
    s3.write_record(batch.bucket, state_key, state)
    return Progress(state.collected, unreadable)


def _begin(batch: BatchShard, prompts: Sequence[str], journal: Journal) -> BatchState | None:
    """Begin a job for each part of what is not answered yet; None while Bedrock takes no more."""
    _take_over(batch, prompts, journal)
    answered = journal.find(prompts)
    places = {prompt: index for index, prompt in enumerate(prompts) if prompt not in answered}
    request, place = converse_request(batch.model, batch.how), batch.place
    jobs: list[str] = []
    for number, part in enumerate(parts(sorted(places.values()))):
        folder = batch.key(batch.attempt, str(number), "")
        with s3.ObjectWriter(batch.bucket, f"{folder}{INPUT_FILE}") as file:
            for line in input_lines(part, prompts, request):
                file.write(line)
        uri = f"s3://{batch.bucket}/{folder}"
        part_name = f"{batch.name}-{batch.shard}-{number}"
        begun = batch_jobs.begin(
            job_name(place.prefix, batch.run.run_id, batch.attempt, part_name),
            batch.model,
            place,
            f"{uri}{INPUT_FILE}",
            f"{uri}output/",
            run_tags(place.stage, batch.run.run_id),
        )
        if begun is None:
            return None
        jobs.append(begun)
    return BatchState(tuple(jobs), prompts_name(prompts), collected=not jobs)


def _take_over(batch: BatchShard, prompts: Sequence[str], journal: Journal) -> None:
    """Keep what an earlier execution's jobs answered to the same prompts before it failed."""
    folder, asked = batch.key(), prompts_name(prompts)
    for key in list(s3.keys(batch.bucket, folder)):
        attempt, ending, rest = key.removeprefix(folder).partition(_STATE)
        if not ending or rest or "/" in attempt:
            continue
        state = s3.read_record(batch.bucket, key, BatchState)
        if state.prompts == asked and not state.collected:
            _collect(batch, attempt, prompts, journal)
            s3.write_record(batch.bucket, key, msgspec.structs.replace(state, collected=True))


def _collect(batch: BatchShard, attempt: str, prompts: Sequence[str], journal: Journal) -> int:
    """Keep the answers that an attempt's jobs wrote; how many lines belong to no prompt."""
    unreadable = 0
    for key in s3.keys(batch.bucket, batch.key(attempt, "")):
        if not key.endswith(f"/{INPUT_FILE}.out"):
            continue
        for response in responses(s3.lines(s3.describe(batch.bucket, key)), len(prompts)):
            if response is None:
                unreadable += 1
            elif response.output is not None:
                with contextlib.suppress(CallFailed):
                    journal.add(prompts[response.place], answer_of(response.output))
    journal.flush()
    return unreadable
