"""Examples that a candidate's templates show, read from a file beside the recipe."""

from typing import Any

import msgspec
import ryaml

from nova_judge.errors import RecipeError
from nova_judge.recipe.asked_model import Example
from nova_judge.recipe.files import Beside
from nova_judge.recipe.own_models import named_model
from nova_judge.recipe.recipe import CandidateSpec, Recipe
from nova_judge.yaml_text import read_yaml

MOST_BYTES = 65_536
_decoder = msgspec.json.Decoder(Example)


def with_examples(recipe: Recipe, file: str, beside: Beside | None) -> Recipe:
    """The recipe with the examples themselves in place of the names of their files.

    A run is then the same only where they are. Raises RecipeError for a file that cannot be read.
    """
    specs = {name: _filled(spec, file, beside) for name, spec in recipe.candidates.items()}
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


def _filled(spec: CandidateSpec, file: str, beside: Beside | None) -> CandidateSpec:
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
    if len(content) > MOST_BYTES:
        raise RecipeError(f"{file}: examples {name}: over {MOST_BYTES:,} bytes; name fewer")
    return msgspec.structs.replace(spec, examples=tuple(_rows(content, f"{file}: {name}")))


def _rows(content: bytes, place: str) -> list[Example]:
    rows = []
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            try:
                rows.append(_decoder.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise RecipeError(
                    f"{place}: line {number}: {error}; a line is a JSON object of texts and "
                    'numbers, such as {"prompt": "…", "response": "…"}'
                ) from error
    return rows
