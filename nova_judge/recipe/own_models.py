"""A catalogue of one's own: models by name in a file beside the recipes, `catalogue.yaml`.

In a stage it lies in the bucket below `recipes/`, so that a model is added without a deployment;
what may be served and asked stays what the stage allows.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from nova_judge.errors import RecipeError
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.files import Beside
from nova_judge.recipe.shape import read_record, stated
from nova_judge.yaml_text import read_yaml

CATALOGUE: Final = "catalogue.yaml"
MOST_BYTES = 262_144

YamlMapping: TypeAlias = Mapping[str, Any]
"""What YAML holds before it is read as a record."""


class OwnModels(NamedTuple):
    """A recipe's document with the catalogue's models in it, and those that it names."""

    document: YamlMapping
    named: Mapping[str, AskedModel]


def with_own_models(document: YamlMapping, beside: Beside | None) -> OwnModels:
    """A recipe's document with the catalogue's model in place of its name in `endpoint`.

    A candidate keeps the name, unless it has another one, and its own keys. Raises RecipeError for
    a catalogue that cannot be read.
    """
    judge = document.get("judge")
    judge = judge if isinstance(judge, Mapping) else {}
    candidates, panel = document.get("candidates"), judge.get("panel")
    named = [*_models(candidates), *_models(panel), *_models({"": judge.get("model")})]
    if beside is None or all(one["endpoint"] in catalog.models().endpoints for one in named):
        return OwnModels(document, {})
    models = _catalogue(beside)
    filled = dict(document)
    if isinstance(candidates, Mapping):
        filled["candidates"] = {
            side: _filled(one, models, named=True) for side, one in candidates.items()
        }
    if judge:
        changes = {"model": _filled(judge.get("model"), models)}
        if isinstance(panel, Mapping):
            changes["panel"] = {name: _filled(one, models) for name, one in panel.items()}
        known = {key: value for key, value in changes.items() if key in judge}
        filled["judge"] = {**judge, **known}
    own = [one["endpoint"] for one in named if one["endpoint"] in models]
    return OwnModels(filled, {name: msgspec.convert(models[name], AskedModel) for name in own})


def own_names(beside: Beside | None) -> tuple[str, ...]:
    """The names in the catalogue beside a recipe; none where there is no such file."""
    return tuple(_catalogue(beside)) if beside is not None else ()


def named_model(model: AskedModel) -> YamlMapping:
    """The keys of a model as a recipe would state them."""
    fields = AskedModel.__struct_fields__
    own = {key: value for key, value in stated(model).items() if key in fields}
    built: YamlMapping = msgspec.to_builtins(own)
    return built


def _models(place: object) -> list[YamlMapping]:
    """The mappings in a place that name an endpoint."""
    inner = place.values() if isinstance(place, Mapping) else ()
    return [
        one for one in inner if isinstance(one, Mapping) and isinstance(one.get("endpoint"), str)
    ]


def _filled(model: object, models: YamlMapping, *, named: bool = False) -> object:
    name = model.get("endpoint") if isinstance(model, Mapping) else None
    if not isinstance(model, Mapping) or not isinstance(name, str) or name not in models:
        return model
    own = {key: value for key, value in model.items() if key != "endpoint"}
    return {**models[name], **({"name": name} if named else {}), **own}


def _catalogue(beside: Beside) -> YamlMapping:
    """The models by name; none where there is no catalogue."""
    try:
        content = beside(CATALOGUE)
    except OSError:
        return {}
    if len(content) > MOST_BYTES:
        raise RecipeError(f"{CATALOGUE}: over {MOST_BYTES:,} bytes")
    try:
        document = read_yaml(content.decode("utf-8"))
    except ValueError as error:
        raise RecipeError(f"{CATALOGUE}: not readable as YAML: {error}") from None
    if not isinstance(document, dict):
        raise RecipeError(f"{CATALOGUE}: a mapping of names to models is expected, as in {_FORM}")
    if taken := sorted(document.keys() & catalog.models().endpoints.keys()):
        raise RecipeError(f"{CATALOGUE}: {', '.join(taken)}: a model that ships has this name")
    for name, model in document.items():
        read_record(model, AskedModel, file=f"{CATALOGUE}: {name}")
    return document


_FORM = "`my-model: {weights: s3://bucket/folder/}`"
