"""Requests that failed before they were a run: a typo in the folder, a broken file, a quota.

Nothing was claimed, so that there is neither a request nor a recipe to report on; these two files
say what was asked, why it came to nothing and what to do.
"""

import hashlib
import re

import msgspec

from nova_judge.inputs.run_request import Wish, slug
from nova_judge.recipe.trigger import Trigger
from nova_judge.runs.execution_error import ExecutionError

BEGINS = "refused-"
DETAILS, PAGE = "failure.json", "report.md"


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
        run_id=f"{BEGINS}{name}-{hashlib.sha256(execution.encode()).hexdigest()[:12]}",
        execution=execution,
        input=wish.input_uri,
        recipe=wish.recipe,
        error=failure.error,
        cause=failure.cause,
        stage=failure.stage,
        trigger=wish.trigger or msgspec.UNSET,
    )


def page(refused: Refusal) -> str:
    """The same as Markdown. Texts of the input are quoted, line by line, and never markup."""
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
