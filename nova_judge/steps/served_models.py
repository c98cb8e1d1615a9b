"""Finds out before anything is paid for what stands behind a recipe's models: the servers that it
names, and what the run's own endpoints serve and on which instance types.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from nova_judge.aws.described_models import found_model, with_weights
from nova_judge.check import Check, NotRead
from nova_judge.errors import GenerationFailedError, NovaJudgeError, RecipeError
from nova_judge.preflight.endpoint_check import server_models
from nova_judge.preflight.served_model import Placed, folder_of, placed
from nova_judge.preflight.weights_check import Allowed, folder_check, stage_check
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.http_calls import ServerFacts, server_facts
from nova_judge.sources.known_sources import CANDIDATE, asked_models
from nova_judge.sources.openai_server import server_model
from nova_judge.sources.own_endpoint import OWN_SOURCES
from nova_judge.sources.served import Served, image_uri, own_endpoint

KeyOf = Callable[[str, str], str]
"""The key of a server's address by its secret's name; raises NovaJudgeError."""


def asked_servers(
    recipe: Recipe, asked: tuple[str, ...], key_of: KeyOf
) -> dict[str, ServerFacts | NotRead]:
    """The servers of the candidates that are `asked`, and of judges, by `URL#MODEL`.

    A secret that the account does not give is trouble: the run could not ask either.
    """
    named = {one.model: one.secret for one in server_models(recipe, asked)}

    def facts(spec: str, secret: str | None) -> ServerFacts | NotRead:
        url, model = server_model(spec)
        try:
            key = None if secret is None else key_of(url, secret)
        except GenerationFailedError as error:
            return ServerFacts(trouble=str(error))
        except NovaJudgeError as error:
            return NotRead(str(error))
        return server_facts(url, model, key)

    with ThreadPoolExecutor() as pool:
        found = {spec: pool.submit(facts, spec, secret) for spec, secret in named.items()}
        return {spec: future.result() for spec, future in found.items()}


Model = TypeVar("Model", bound=AskedModel)


class ServedModels(NamedTuple):
    """The recipe with the instance types that were found, and what its own endpoints serve.

    `served` by endpoint, `versions` by place in the recipe: another one wherever other weights may
    answer.
    """

    recipe: Recipe
    served: dict[str, Served]
    versions: dict[str, str]
    checks: list[Check]


def served_models(
    recipe: Recipe, asked: Iterable[str], region: str, allowed: Allowed | None
) -> ServedModels:
    """Settle the candidates that are `asked`, and the judges.

    `allowed` is None where it is not known.
    """
    settled = ServedModels(recipe, {}, {}, [])
    for place, spec in asked_models(recipe, asked).items():
        if spec.source not in OWN_SOURCES:
            continue
        placement = _placement(spec, region, allowed)
        check = f"{spec.source.replace('_', ' ')} {spec.model}"
        if isinstance(placement, Check):
            settled.checks.append(placement)
            continue
        settled.checks.append(Check(check, "pass", placement.words))
        settled.served[own_endpoint(spec)] = placement.served
        if placement.version:
            settled.versions[place] = placement.version
        settled = settled._replace(recipe=_with_types(settled.recipe, place, placement))
    return settled


def _placement(model: AskedModel, region: str, allowed: Allowed | None) -> Placed | Check:
    name = f"{model.source.replace('_', ' ')} {model.model}"
    if allowed is not None and (refused := stage_check(name, model, allowed)) is not None:
        return refused
    found = found_model(model)
    folder = folder_of(model, found)
    if folder and allowed is not None and (no := folder_check(name, folder, allowed)) is not None:
        return no
    placement = placed(name, model, with_weights(model, found))
    if isinstance(placement, Placed) and placement.served.image == "nova":
        try:
            image_uri(placement.served, "", region)
        except RecipeError as error:
            return Check(name, "fail", str(error), "deploy in one of these regions")
    return placement


def _with_types(recipe: Recipe, place: str, placement: Placed) -> Recipe:
    """The recipe with what the model at a place left open."""

    def settled(spec: Model) -> Model:
        form: Any = placement.form or spec.form
        return replace(spec, instance_types=placement.types, form=form)

    if place.startswith(CANDIDATE):
        name = place.removeprefix(CANDIDATE)
        return replace(
            recipe, candidates={**recipe.candidates, name: settled(recipe.candidate(name))}
        )
    judge = recipe.judge
    panel = {
        name: settled(model) if place == f"judge.panel.{name}" else model
        for name, model in (judge.panel or {}).items()
    }
    model = judge.model and settled(judge.model)
    return replace(recipe, judge=replace(judge, model=model, panel=panel or judge.panel))
