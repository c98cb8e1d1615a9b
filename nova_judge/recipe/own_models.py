"""Files beside a recipe: examples that a candidate's templates show, and a catalogue of one's own.

Its models stand by name in `catalogue.yaml`. In a stage it lies in the bucket below `recipes/`, so
that a model is added without a deployment; what may be served and asked stays what the stage
allows.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec
import ryaml

from nova_judge.errors import RecipeError
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel, Example
from nova_judge.recipe.files import Beside
from nova_judge.recipe.recipe import CandidateSpec, Recipe
from nova_judge.recipe.shape import read_record, stated
from nova_judge.yaml_text import read_yaml

CATALOGUE: Final = "catalogue.yaml"
MOST_BYTES = 262_144

YamlMapping: TypeAlias = Mapping[str, Any]
"""What YAML holds before it is read as a record."""


def with_own_models(
    document: YamlMapping, beside: Beside | None
) -> tuple[YamlMapping, Mapping[str, AskedModel]]:
    """A recipe's document with the catalogue's models in place of their names, and these models.

    A candidate keeps the name, unless it has another one, and its own keys. Raises RecipeError for
    a catalogue that cannot be read.
    """
    judge = document.get("judge")
    judge = judge if isinstance(judge, Mapping) else {}
    candidates, panel = document.get("candidates"), judge.get("panel")
    named = [*_models(candidates), *_models(panel), *_models({"": judge.get("model")})]
    if beside is None or all(one["endpoint"] in catalog.models().endpoints for one in named):
        return document, {}
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
    return filled, {name: msgspec.convert(models[name], AskedModel) for name in own}


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


MOST_BYTES_OF_EXAMPLES = 65_536
_example = msgspec.json.Decoder(Example)


def with_examples(recipe: Recipe, file: str, beside: Beside | None) -> Recipe:
    """The recipe with the examples themselves in place of the names of their files.

    A run is then the same only where they are. Raises RecipeError for a file that cannot be read.
    """
    specs = {name: _with_examples(spec, file, beside) for name, spec in recipe.candidates.items()}
    return msgspec.structs.replace(recipe, candidates=specs)


def alone(text: str, recipe: Recipe) -> str:
    """The YAML of a recipe that was read from `text`, with what stood in files beside it."""
    document = read_yaml(text)
    sides = (document.get("candidates") or {}) if isinstance(document, dict) else {}
    named = [side for side in sides if isinstance(sides[side].get("examples"), str)]
    for side in named:
        sides[side]["examples"] = list(recipe.candidate(side).examples)
    for side, spec in sides.items():
        if (name := spec.get("endpoint")) and name != recipe.candidate(side).endpoint:
            spec.pop("endpoint")
            sides[side] = {"name": name, **named_model(recipe.candidate(side)), **spec}
            named.append(side)
    judge = document.get("judge") if isinstance(document, dict) else None
    words = recipe.judge.prompt
    if words is not None and isinstance(judge, dict) and isinstance(judge.get("prompt"), str):
        judge["prompt"] = msgspec.to_builtins(words)
        named.append("judge")
    if isinstance(judge, dict):
        named += _judges_alone(judge, recipe)
    return ryaml.dumps(document) if named else text


def _judges_alone(judge: dict[str, Any], recipe: Recipe) -> list[str]:
    """Put the catalogue's models in the place of their names; where that was done."""
    changed = []
    for where, model in recipe.judge.asked.items():
        place, _, name = where.removeprefix("judge.").partition(".")
        holder, key = (judge[place], name) if name else (judge, place)
        if (stated := holder[key].get("endpoint")) and stated != model.endpoint:
            holder[key] = named_model(model)
            changed.append(where)
    return changed


def _with_examples(spec: CandidateSpec, file: str, beside: Beside | None) -> CandidateSpec:
    name = spec.examples
    if not isinstance(name, str):
        return spec
    if "/" in name or "\\" in name or name.startswith(".") or beside is None:
        raise RecipeError(f"{file}: examples {name}: expected the name of a file beside the recipe")
    try:
        content = beside(name)
    except OSError as error:
        raise RecipeError(
            f"{file}: examples {name}: it cannot be read ({error}); it lies beside the recipe"
        ) from error
    if len(content) > MOST_BYTES_OF_EXAMPLES:
        raise RecipeError(
            f"{file}: examples {name}: over {MOST_BYTES_OF_EXAMPLES:,} bytes; name fewer"
        )
    return msgspec.structs.replace(spec, examples=tuple(_rows(content, f"{file}: {name}")))


def _rows(content: bytes, place: str) -> list[Example]:
    rows = []
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            try:
                rows.append(_example.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise RecipeError(
                    f"{place}: line {number}: {error}; a line is a JSON object of texts and "
                    'numbers, such as {"prompt": "…", "response": "…"}'
                ) from error
    return rows
