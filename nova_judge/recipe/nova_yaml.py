"""The recipe that Nova's container reads, as YAML."""

import msgspec
import ryaml

from nova_judge.recipe.recipe import Recipe


def recipe_to_nova_yaml(recipe: Recipe, run_name: str) -> str:
    """The container's recipe as YAML; `run.name` is `run_name` where the recipe gives none."""
    nova = recipe.nova
    named = msgspec.structs.replace(nova.run, name=nova.run.name or run_name)
    block = msgspec.to_builtins(msgspec.structs.replace(nova, run=named))
    block["run"] = {"name": block["run"].pop("name"), **block["run"]}
    return ryaml.dumps(block)
