"""Checks that an OpenAI-compatible server can be reached and knows the model of a recipe."""

from collections.abc import Iterator, Mapping, Sequence

from nova_judge.check import Check, NotRead
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.shape import did_you_mean
from nova_judge.sources.openai_server import server_model
from nova_judge.sources.server_facts import ServerFacts

_MOST_SHOWN = 10


def server_models(recipe: Recipe, asked: Sequence[str]) -> list[AskedModel]:
    """The models of servers that the candidates `asked` and judges name."""
    specs = [*(recipe.candidate(name) for name in asked), *recipe.judge.asked.values()]
    return [spec for spec in specs if spec.openai is not None]


def server_checks(
    servers: Mapping[str, ServerFacts | NotRead] | None, recipe: Recipe, asked: Sequence[str]
) -> Iterator[Check]:
    """A check per model; none where no server was asked. `servers` by `URL#MODEL`."""
    if servers is None:
        return
    for name in dict.fromkeys(spec.model for spec in server_models(recipe, asked)):
        known = servers.get(name, NotRead("servers were not asked"))
        yield server_check(*server_model(name), known)


def server_check(url: str, model: str, facts: ServerFacts | NotRead) -> Check:
    """Check one model of one server."""
    name = f"{model} at {url}"
    if isinstance(facts, NotRead):
        return Check(name, "not run", facts.reason)
    if facts.trouble:
        advice = "is the address that of its API, up to /v1, and its key in the secret?"
        return Check(name, "fail", facts.trouble, advice)
    if facts.takes:
        return Check(name, "warn", "the server answers it, and does not list it", "")
    if facts.listed:
        return Check(name, "pass", "the server lists it")
    if facts.models:
        others = ", ".join(facts.models[:_MOST_SHOWN])
        near = did_you_mean(model, facts.models)
        return Check(
            name,
            "fail",
            f"the server has no such model; it has {others}{near}",
            "name one of these behind the # of its address",
        )
    return Check(name, "fail", "the server has no models", "load one there")
