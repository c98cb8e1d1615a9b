"""Explain to a person why an execution failed, from what the state machine caught."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

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


def explain(caught: Mapping[str, Any]) -> ExecutionError:
    """From `{Error, Cause}` as `Catch` gives it.

    A function's cause is JSON with `errorType` and `errorMessage`; a judge job's is the whole
    description of the job, of which the reason is wanted.
    """
    error, cause = str(caught.get("Error", "Unknown")), str(caught.get("Cause", ""))
    document = _document(caught)
    if "errorMessage" in document:
        error = document.get("errorType", error)
        cause = document["errorMessage"]
    elif "TrainingJobName" in document:
        error, cause = "JudgeJobError", _of_job(document) or cause
    return ExecutionError(error, cause or "no cause was given", _STAGES.get(error, _stage(error)))


def failed_job(caught: Mapping[str, Any]) -> JobOutcome | None:
    """The judge job whose description was caught, if it is one of ours."""
    try:
        return outcome_of_job(_document(caught))
    except (RequestError, KeyError, ValueError):
        return None


def _document(caught: Mapping[str, Any]) -> dict[str, Any]:
    try:
        document = json.loads(str(caught.get("Cause", "")))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _of_job(description: Mapping[str, Any]) -> str | None:
    try:
        return outcome_of_job(description).failure
    except (RequestError, KeyError, ValueError):
        ended = description.get("FailureReason") or description.get("TrainingJobStatus")
        return f"judge job {description['TrainingJobName']}: {ended}" if ended else None


def _stage(error: str) -> str:
    return "judge" if error.startswith("SageMaker.") else "evaluation"
