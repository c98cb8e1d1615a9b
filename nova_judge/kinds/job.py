"""The jobs of a run: what each is there for, where it lies, and what AWS is asked for it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from nova_judge.layout import RunLayout
from nova_judge.runs.job_output import JobOutput
from nova_judge.runs.run import Run
from nova_judge.runs.training_job_request import training_job_name
from nova_judge.tags import run_tags

Api: TypeAlias = Literal["nova", "bedrock", "serverless", "calls"]
"""Who runs a job, and so which states of the state machine ask for it and follow it."""
IN_CHILDREN: Final[frozenset[Api]] = frozenset({"bedrock"})
"""The APIs whose jobs have a child execution each, and are read from a file."""
JobStep: TypeAlias = Literal["score", "answer", "judge", "control"]


class PlannedJob(msgspec.Struct, frozen=True, kw_only=True):
    """One job. `subject`: `pairs`, a candidate, or the `base` or `customised` model.

    `label` is what the report calls the subject, or the name of the control that is judged.
    `step`: a model may first `answer` in one job and be judged in the next. The job is given the
    usable rows from `first` up to `last`, counted from 0, in the file with the key `data`; `rows`
    is the key of these rows as records. Jobs may share both; None where a job brings its questions.
    `pair`: the two of many candidates that a job compares, as A and B.
    """

    number: int
    api: Api
    subject: str
    label: str
    step: JobStep = "score"
    first: int = 0
    last: int = 0
    data: str | None = None
    rows: str | None = None
    pair: tuple[str, str] | None = None


class Deployment(NamedTuple):
    """Deployment facts that requests need; `kms_key` encrypts what jobs write."""

    bucket: str
    region: str
    account: str
    job_prefix: str
    job_role_arn: str
    stage: str
    kms_key: str = ""


class JobPlace(NamedTuple):
    """The name, role, output, input and tags of one job.

    The state machine appends the number of redrives to the name.
    """

    name: str
    role_arn: str
    output_uri: str
    data_uri: str | None = None
    tags: Mapping[str, str] = {}


class JobRequest(NamedTuple):
    """A `call` of AWS with its `body`, and the `files` (keys and contents) that have to lie there.

    `state_body`: the body with the key names of Step Functions' integration, where they differ.
    """

    call: str
    body: dict[str, Any]
    files: tuple[tuple[str, bytes], ...] = ()
    state_body: dict[str, Any] | None = None


class FinishedJob(NamedTuple):
    """A job that completed: its output on disk, and the file of the rows that it was given."""

    planned: PlannedJob
    output: JobOutput
    rows: Path | None = None


def job_place(run: Run, job: PlannedJob, deployment: Deployment) -> JobPlace:
    """Everything below the run's own folder."""
    data = f"s3://{deployment.bucket}/"
    return JobPlace(
        name=training_job_name(deployment.job_prefix, run.run_id, run.execution, job.number),
        role_arn=deployment.job_role_arn,
        output_uri=data + RunLayout(run.run_id).judge_output(job.number),
        data_uri=None if job.data is None else data + job.data,
        tags=run_tags(deployment.stage, run.run_id),
    )
