"""`{file: …}`: answers that are there already, in a column of the input."""

from collections.abc import Iterator
from dataclasses import dataclass

from nova_judge.answers.answers import Port
from nova_judge.errors import RecipeError
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.source import Hosting, Payment, Ways


@dataclass(frozen=True)
class AnswersFile:
    """A column of the input; it is read with the rows and never asked."""

    on_aws: bool = False
    shared: bool = True

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        yield from ()

    def kept_as(self, model: AskedModel) -> str:
        return model.model

    def title(self, model: AskedModel) -> str:
        return model.model

    def takes_batches(self, model: AskedModel) -> bool:
        return False

    def payment(self, model: AskedModel) -> Payment:
        return "others"

    def hosting(self, model: AskedModel) -> Hosting | None:
        return None

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        raise RecipeError(f"{model.model} is a column of the input: nobody can be asked")
