"""Explain to a person why an execution failed, from what the state machine caught."""

import json
from typing import NamedTuple

import msgspec

from nova_judge.errors import RequestError
from nova_judge.runs.job_outcome import JobOutcome, outcome_of_job

SHARD_FAILED = "States.ExceedToleratedFailureThreshold"
_STAGES = {
    "RequestError": "request",
    "RecipeError": "recipe",
    "InputFileError": "input",
    "GenerationFailedError": "generation",
    "JudgeJobError": "judge",
    "ReportMissing": "results",
}


class ExecutionError(NamedTuple):
    """`error` is a class name of ours or AWS's; `stage` is the part of the run that failed."""

    error: str
    cause: str
    stage: str


class _Caught(msgspec.Struct):
    """An error as `Catch` gives it."""

    Error: str = "Unknown"
    Cause: str = ""


class _Cause(msgspec.Struct):
    """A cause in JSON: a function's error, or the description of a training job."""

    errorType: str | None = None
    errorMessage: str | None = None
    TrainingJobName: str | None = None
    TrainingJobStatus: str | None = None
    FailureReason: str | None = None


def explain(caught: object) -> ExecutionError:
    """From `{Error, Cause}` as `Catch` gives it.

    A function's cause is JSON with `errorType` and `errorMessage`; a judge job's is the whole
    description of the job, of which the reason is wanted.
    """
    error, said = msgspec.structs.astuple(msgspec.convert(caught, _Caught))
    cause = _cause_in(said)
    if cause.errorMessage is not None:
        error, said = cause.errorType or error, cause.errorMessage
    elif cause.TrainingJobName is not None:
        error, said = "JudgeJobError", _of_job(cause, said)
    return ExecutionError(error, said or "no cause was given", _STAGES.get(error, _stage(error)))


def failed_job(caught: object) -> JobOutcome | None:
    """The judge job whose description was caught, if it is one of ours."""
    return _outcome_in(msgspec.convert(caught, _Caught).Cause)


def _outcome_in(said: str) -> JobOutcome | None:
    try:
        return outcome_of_job(json.loads(said))
    except (RequestError, ValueError):
        return None


def _cause_in(text: str) -> _Cause:
    try:
        return msgspec.json.decode(text, type=_Cause)
    except msgspec.MsgspecError:
        return _Cause()


def _of_job(cause: _Cause, said: str) -> str:
    if outcome := _outcome_in(said):
        return outcome.failure or said
    ended = cause.FailureReason or cause.TrainingJobStatus
    return f"judge job {cause.TrainingJobName}: {ended}" if ended else said


def _stage(error: str) -> str:
    return "judge" if error.startswith("SageMaker.") else "evaluation"
