"""Explain why an execution failed, from what the state machine caught, and what to do then.

Where it failed before it was a run (a typo in the folder, a broken file, a quota), nothing was
claimed, so that there is neither a request nor a recipe to report on; two files of a `Refusal` say
what was asked, why it came to nothing and what to do.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from nova_judge.errors import RequestError
from nova_judge.inputs.run_request import Wish, slug
from nova_judge.recipe.trigger import Trigger
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


_COMMANDS: Final[Mapping[str, str]] = {
    "AccessError": "nova-judge doctor --stage {stage}",
    "BudgetError": "nova-judge estimate FILE --recipe {recipe}",
    "EndpointError": "nova-judge doctor --recipe {recipe} --stage {stage}",
    "InputFileError": "nova-judge validate FILE --recipe {recipe}",
    "PreflightError": "nova-judge doctor --recipe {recipe} --stage {stage}",
    "RecipeError": "nova-judge request --recipe FILE.yaml",
    "RequestError": "nova-judge submit FILE --recipe RECIPE --stage {stage}",
    "ABORTED": "nova-judge runs retry {run} --stage {stage}",
    "TIMED_OUT": "nova-judge runs retry {run} --stage {stage}",
}
_OTHER = "nova-judge runs logs {run} --stage {stage}"


def next_command(error: str, *, run: str, recipe: str, stage: str) -> str:
    """The command to type next; names in capitals are the reader's to fill in."""
    words = _COMMANDS.get(error, _OTHER)
    return words.format(run=run, recipe=recipe or "RECIPE", stage=stage)


REFUSAL_DETAILS, REFUSAL_PAGE = "failure.json", "report.md"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """`failure.json`. `stage` is the part of the run that failed; `cause` says what to do too."""

    run_id: str
    execution: str
    input: str
    recipe: str
    error: str
    cause: str
    stage: str
    status: str = "failed"
    trigger: Trigger | msgspec.UnsetType = msgspec.UNSET


def refusal(wish: Wish, execution: str, failure: ExecutionError) -> Refusal:
    """The record of one, under a name that the same execution always gives."""
    name = slug(wish.input_uri or wish.recipe)
    return Refusal(
        run_id=f"refused-{name}-{hashlib.sha256(execution.encode()).hexdigest()[:12]}",
        execution=execution,
        input=wish.input_uri,
        recipe=wish.recipe,
        error=failure.error,
        cause=failure.cause,
        stage=failure.stage,
        trigger=wish.trigger or msgspec.UNSET,
    )


def refusal_page(refused: Refusal) -> str:
    """A refusal as Markdown. Texts of the input are quoted, line by line, and never markup."""
    asked = [
        f"    {name}: {_one_line(value)}"
        for name, value in (
            ("input", refused.input),
            ("recipe", refused.recipe),
            ("execution", refused.execution),
        )
        if value
    ]
    reason = [f"    {line}" for line in refused.cause.splitlines()]
    lines = [
        f"# Nothing was evaluated: {refused.error}",
        "",
        *asked,
        "",
        "The reason, and what to do:",
        "",
        *reason,
        "",
        "Nothing paid was started. Mend it and drop the file again, or start it by hand.",
    ]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)
