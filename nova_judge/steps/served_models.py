"""Settles before a run what its own endpoints serve and on which instance types."""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from nova_judge.aws.described_models import found_model, with_weights
from nova_judge.check import Check
from nova_judge.errors import RecipeError
from nova_judge.preflight.served_model import Placed, folder_of, placed
from nova_judge.preflight.weights_check import Allowed, folder_check, stage_check
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.own_endpoint import OWN_SOURCES
from nova_judge.sources.recipe_endpoints import CANDIDATE, asked_models
from nova_judge.sources.served import Served, image_uri, own_endpoint

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
