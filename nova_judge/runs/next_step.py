"""The command that leads on from a failed run, by the error that ended it."""

from collections.abc import Mapping
from typing import Final

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
