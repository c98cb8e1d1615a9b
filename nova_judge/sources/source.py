"""The questions that every source of a model answers, for candidates and for judges alike.

A source is an object that satisfies `Source`; `known_sources.SOURCES` names them all. To add one,
write a module beside this one, name its key in `AskedModel` and its object there.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol, TypeAlias

from nova_judge.answers.answers import Port
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.request_forms import ChatForm, Form, RequestForm

Payment: TypeAlias = Literal["tokens", "hours", "others"]
"""By the token, by the hour of an endpoint that exists for the run, or not by the run."""


class Hosting(NamedTuple):
    """The endpoint that the run brings up, by its name after the stage's prefix.

    `instance_types` stand in the order to try them.

    `tokens_per_second` is an assumption, and `why` says what it rests on. `image` by its name in
    `images.json`; None for another one.
    """

    endpoint: str
    instance_types: tuple[str, ...]
    tokens_per_second: float
    why: str
    image: str | None


class Ways(Protocol):
    """The ways to a model that this process has: clients, credentials, the stage's names."""

    def afresh(self) -> "Ways":
        """The same ways, on which no kept answer stands in for a call."""

    def bedrock(self, model: str, how: Generation) -> Port:
        """A Bedrock model, through Converse."""

    def stage_endpoint(self, model: str, form: RequestForm, how: Generation) -> Port:
        """The endpoint that this stage has for a model of the catalogue."""

    def account_endpoint(
        self, name: str, component: str | None, form: Form | None, how: Generation
    ) -> Port:
        """An endpoint that the account has; without a form its image decides."""

    def server(self, url: str, form: ChatForm, how: Generation, secret: str | None) -> Port:
        """A server by the address of its API, with the key that a secret holds."""


class Source(Protocol):
    """One source of models, from the recipe to the call."""

    @property
    def on_aws(self) -> bool:
        """True where AWS serves the model; in local mode something else answers in its place."""

    @property
    def shared(self) -> bool:
        """True where all shards under way share one server, which has a batch of its own."""

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        """The faults of a recipe's model, each with what is allowed; `where` names its place."""

    def kept_as(self, model: AskedModel) -> str:
        """The name under which answers are kept: another one wherever the weights may differ."""

    def title(self, model: AskedModel) -> str:
        """The model's own name, for reports."""

    def takes_batches(self, model: AskedModel) -> bool:
        """True where the model may answer through batch inference."""

    def payment(self, model: AskedModel) -> Payment:
        """What the answers cost the run."""

    def hosting(self, model: AskedModel) -> Hosting | None:
        """The endpoint that the run has to bring up; None where the model is there already."""

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        """The model as it is asked."""


class NamedModel:
    """The half that most sources share: a model by its own name, asked by calls where it is."""

    def kept_as(self, model: AskedModel) -> str:
        return model.model

    def title(self, model: AskedModel) -> str:
        return model.model

    def takes_batches(self, model: AskedModel) -> bool:
        return False

    def hosting(self, model: AskedModel) -> Hosting | None:
        return None
