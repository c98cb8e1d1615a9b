"""One candidate's batch inference in one shard, a step at a time."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from nova_judge.adapters import batch_jobs, s3
from nova_judge.adapters.batch_jobs import BatchJob
from nova_judge.adapters.bedrock_converse import answer_of, converse_request
from nova_judge.generation.answers import Journal
from nova_judge.generation.batch_inference import (
    BatchState,
    all_ended,
    input_lines,
    job_name,
    outputs,
    parts,
)
from nova_judge.generation.retries import CallFailed
from nova_judge.records import Candidate
from nova_judge.runs.layout import RunLayout
from nova_judge.runs.run import Run

INPUT_FILE = "input.jsonl"


class BatchShard(NamedTuple):
    """Whose answers to which shard, and where everything lies."""

    run: Run
    candidate: Candidate
    shard: int
    bucket: str
    prefix: str
    role_arn: str

    def key(self, *rest: str) -> str:
        """Keys of this candidate's batch in this shard."""
        return RunLayout(self.run.run_id).batch(self.candidate, self.shard) + "/".join(rest)

    @property
    def attempt(self) -> str:
        """Differs for every execution, so that a failed run can be asked for again."""
        return hashlib.sha256(self.run.execution.encode()).hexdigest()[:4]


def step(batch: BatchShard, prompts: Sequence[str], journal: Journal) -> bool:
    """Begin the jobs, look at them, or collect their answers; True when there is no more to do.

    What a job left unanswered is not in the journal afterwards, and is for calls to ask.
    """
    state_key = batch.key(f"{batch.attempt}.json")
    content = s3.read_if_exists(batch.bucket, state_key)
    state = msgspec.json.decode(content, type=BatchState) if content else None
    if state is None:
        state = _begin(batch, prompts, journal)
        if state is None:
            return False
    elif not state.collected:
        if not all_ended(map(batch_jobs.status, state.jobs)):
            return False
        _collect(batch, prompts, journal, state)
        state = BatchState(state.jobs, collected=True)
    s3.write(batch.bucket, state_key, msgspec.json.encode(state), "application/json")
    return state.collected


def _begin(batch: BatchShard, prompts: Sequence[str], journal: Journal) -> BatchState | None:
    """Begin a job for each part of what is not answered yet; None while Bedrock takes no more."""
    known = journal.find(prompts)
    places = {prompt: index for index, prompt in enumerate(prompts) if prompt not in known}
    spec = batch.run.recipe.candidate(batch.candidate)
    request = converse_request(spec.model, batch.run.recipe.generation_for(batch.candidate))
    jobs: list[str] = []
    for number, part in enumerate(parts(sorted(places.values()))):
        folder = batch.key(batch.attempt, str(number), "")
        with s3.Writer(batch.bucket, f"{folder}{INPUT_FILE}") as file:
            for line in input_lines(part, prompts, request):
                file.write(line)
        uri = f"s3://{batch.bucket}/{folder}"
        place = f"{batch.candidate}-{batch.shard}-{number}"
        name = job_name(batch.prefix, batch.run.run_id, batch.attempt, place)
        job = BatchJob(name, spec.model, batch.role_arn, f"{uri}{INPUT_FILE}", f"{uri}output/")
        begun = batch_jobs.begin(job)
        if begun is None:
            return None
        jobs.append(begun)
    return BatchState(tuple(jobs), collected=not jobs)


def _collect(
    batch: BatchShard, prompts: Sequence[str], journal: Journal, state: BatchState
) -> None:
    for number, arn in enumerate(state.jobs):
        job_id = arn.rsplit("/", 1)[-1]
        key = batch.key(batch.attempt, str(number), "output", job_id, f"{INPUT_FILE}.out")
        content = s3.read_if_exists(batch.bucket, key) or b""
        for index, output in outputs(content):
            try:
                answer = answer_of(output)
            except CallFailed:
                continue
            journal.add(prompts[index], answer)
    journal.flush()
