"""Candidates that a command names: `--a` and `--b` in place of those in the recipe."""

from collections.abc import Mapping
from typing import Any

import ryaml

from nova_judge.errors import LocalModeError, RecipeError
from nova_judge.kinds.recipes import file_beside, load_recipe, recipe_text
from nova_judge.recipe.own_models import alone
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import CANDIDATES, Candidate
from nova_judge.sources.openai_server import server_model, typed_model
from nova_judge.yaml_text import read_yaml

FORM = "openai:URL#MODEL or bedrock:MODEL_ID"
LONGEST_CALL_S = 600.0
HOW = ("prompt", "messages", "examples", "system", "generation")
"""What stays of the recipe's candidate where another model is named."""


def local_recipe(
    reference: str,
    named: Mapping[Candidate, str],
    environment: Mapping[str, str],
    timeout_s: float,
) -> tuple[Recipe, str]:
    """The recipe with the candidates that were named, and its YAML.

    It has no budget then: nothing that the named candidates answer is billed by AWS. Raises
    LocalModeError or RecipeError.
    """
    text, file = recipe_text(reference)
    beside = file_beside(file)
    if not named:
        recipe = load_recipe(text, file=file, beside=beside)
        return recipe, alone(text, recipe)
    document = read_yaml(text)
    if not isinstance(document, dict):
        raise RecipeError(f"{file}: a recipe is a mapping of keys")
    document.pop("budget", None)
    given = dict(document.get("candidates") or {})
    if others := sorted(given.keys() - set(CANDIDATES)):
        raise LocalModeError(
            f"{file} names candidates of its own ({', '.join(others)}): leave --a and --b out, or "
            "change the recipe"
        )
    for side, spec in named.items():
        how = {key: value for key, value in (given.get(side) or {}).items() if key in HOW}
        given[side] = how | _candidate(spec, side, environment, timeout_s)
        given[side]["generation"] |= how.get("generation") or {}
    document["candidates"] = given
    text = ryaml.dumps(document)
    recipe = load_recipe(text, file=file, beside=beside)
    return recipe, alone(text, recipe)


def _candidate(
    spec: str, side: Candidate, environment: Mapping[str, str], timeout_s: float
) -> dict[str, Any]:
    model = typed_model(spec, environment)
    if model is None or ("openai" in model and not all(server_model(model["openai"]))):
        raise LocalModeError(
            f"--{side.lower()} {spec}: names no candidate: write {FORM}. Answers of a file are "
            "named in a recipe (file: answers.jsonl)."
        )
    how: dict[str, Any] = {"call_timeout_s": min(timeout_s, LONGEST_CALL_S)}
    return {**model, "generation": how | ({"batch_from": None} if "bedrock" in model else {})}


def bedrock_models(named: Mapping[Candidate, str]) -> tuple[str, ...]:
    """The Bedrock models that a command names, which answer themselves."""
    begins = "bedrock:"
    specs = [spec.removeprefix(begins) for spec in named.values() if spec.startswith(begins)]
    return tuple(dict.fromkeys(specs))
