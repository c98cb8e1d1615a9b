"""`{file: …}`: answers that are there already, in a column of the input or in a file beside it."""

from collections.abc import Iterator

from nova_judge.answers.answers import Port
from nova_judge.errors import RecipeError
from nova_judge.recipe.asked_model import COLUMNS, AskedModel
from nova_judge.recipe.recipe import Generation, Recipe
from nova_judge.records import Rejected
from nova_judge.sources.source import NamedModel, Payment, Ways


class AnswersFile(NamedModel):
    """A column of the input; it is read with the rows and never asked."""

    on_aws: bool = False
    shared: bool = True

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        yield from ()

    def payment(self, model: AskedModel) -> Payment:
        return "others"

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        raise RecipeError(f"{model.model} is a column of the input: nobody can be asked")


def answer_files(recipe: Recipe | None) -> dict[str, str]:
    """The files of answers that a recipe names, by candidate; commands put them into the column."""
    if recipe is None or recipe.many:
        return {}
    named = {side: recipe.candidate(side).file for side in recipe.names}
    return {side: file for side, file in named.items() if file and file not in COLUMNS}


def how_to_bring(recipe: Recipe | None, fault: Rejected | None) -> str:
    """Advice for a file of which no line can be used, by the fault of its first line.

    Empty where the fault says enough. A run reads the rows alone, never another object of its
    bucket.
    """
    if recipe is not None and (files := answer_files(recipe)):
        columns = " and ".join(f"`response_{side}`" for side in files)
        return (
            f"a run does not read {' and '.join(files.values())}: with it beside the rows, "
            f"`nova-judge submit FILE --recipe {recipe.name}` puts the answers into {columns}; "
            "or write them there yourself"
        )
    column = fault.field if fault else None
    if column not in COLUMNS or (recipe is not None and recipe.many):
        return ""
    side = column.removeprefix("response_")
    if recipe is None or recipe.candidate(side).source != "file":
        return (
            f"to have the answers in `{column}` judged beside a model's, write "
            f"`{side}: {{file: {column}}}` into candidates of a recipe; to have both asked, leave "
            f"them aside with --map ignore={column}"
        )
    none = "" if side in recipe.candidates else f"names no model for {side}, so that it "
    return (
        f"recipe {recipe.name} {none}reads the answers of {side} from `{column}`: bring them "
        f"there, or name a model at candidates.{side}"
    )
