"""Recipes that can be run: read by path or name, and refused with every problem that they have."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from nova_judge.answers.prompts import template_problems
from nova_judge.errors import RecipeError
from nova_judge.kinds.known_kinds import KINDS, kind_of
from nova_judge.recipe.asked_judge import with_prompt_by_name
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.bedrock_judge import with_metrics_by_name
from nova_judge.recipe.column_map import read_twice
from nova_judge.recipe.files import MOST_BESIDE, Beside, packaged_recipe, recipe_names
from nova_judge.recipe.own_models import CATALOGUE, with_examples, with_own_models
from nova_judge.recipe.recipe import Generation, Recipe
from nova_judge.recipe.shape import did_you_mean, not_one_of, read_record
from nova_judge.recipe.trigger import Trigger, with_trigger
from nova_judge.sources.known_sources import candidate_problems, model_problems
from nova_judge.yaml_text import read_yaml

__all__ = ["load_recipe", "read_recipe"]

MOST_CANDIDATES = 10
"""Which make 45 pairs, each with a judge job of its own."""


def read_recipe(reference: str, trigger: Trigger | None = None) -> Recipe:
    """A recipe by the path of its YAML file, else by the name that it ships under.

    >>> read_recipe("pairwise").kind
    'llm_judge'
    """
    text, file = recipe_text(reference)
    return load_recipe(text, file=file, beside=file_beside(file), trigger=trigger)


def recipe_text(reference: str) -> tuple[str, str]:
    """The YAML of a recipe by path or name, and the file that it stands in."""
    path = Path(reference)
    if path.suffix not in {".yaml", ".yml"}:
        return packaged_recipe(reference), f"recipes/{reference}.yaml"
    try:
        return path.read_text(encoding="utf-8"), reference
    except FileNotFoundError:
        names = recipe_names()
        near = did_you_mean(reference, (*map(str, path.parent.glob("*.y*ml")), *names))
        raise RecipeError(
            f"{reference}: no such file; recipes that ship: {', '.join(names)}{near}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{reference}: not readable: {error}") from None


def beside(reference: str) -> Beside:
    """The function that reads a file beside the recipe of that path or name."""
    return file_beside(recipe_text(reference)[1])


def file_beside(file: str) -> Beside:
    """The function that reads a file beside a recipe's."""

    def beside(name: str) -> bytes:
        with Path(Path(file).parent, name).open("rb") as content:
            return content.read(MOST_BESIDE)

    return beside


def load_recipe(
    text: str, *, file: str, beside: Beside | None = None, trigger: Trigger | None = None
) -> Recipe:
    """The recipe in `text`; its name is the stem of `file`, and `beside` reads what it names.

    `trigger`: what set the run off, for recipes that name it.

    Raises RecipeError with every problem: the file, the key, what was found and what is allowed.

    >>> load_recipe(packaged_recipe("rubric"), file="mine.yaml").name
    'mine'
    """
    try:
        document = read_yaml(text)
    except ValueError as error:
        raise RecipeError(f"{file}: not readable as YAML: {error}") from None
    unknown = []
    if isinstance(document, dict):
        document = with_metrics_by_name({"name": Path(file).stem, **document})
        try:
            document, named = with_own_models(document, beside)
            _check_catalogue(named)
            document = with_prompt_by_name(with_trigger(document, trigger), beside)
        except RecipeError as error:
            raise RecipeError(f"{file}: {error}") from None
        unknown = list(_unknown_kind(document.get("kind")))
    recipe = read_record(document, Recipe, file=file, also=unknown)
    recipe = with_examples(recipe, file, beside)
    problems = list(recipe_problems(recipe))
    if problems:
        raise RecipeError("\n".join(f"{file}: {problem}" for problem in problems))
    return recipe


def _check_catalogue(models: Mapping[str, AskedModel]) -> None:
    """Raises RecipeError with the faults that models of the catalogue have wherever they stand."""
    how = Generation(temperature=None)  # what only some settings make a fault is the recipe's
    faults = [it for name, one in models.items() for it in model_problems(name, one, how)]
    if faults:
        raise RecipeError("\n".join(f"{CATALOGUE}: {fault}" for fault in faults))


def recipe_problems(recipe: Recipe) -> Iterator[str]:
    """Everything in a well-formed recipe that cannot be run."""
    if recipe.many or recipe.pairs != "all":
        yield from _many_problems(recipe)
    if twice := read_twice(recipe.map):
        yield f"map: {twice}"
    for side in recipe.names:
        spec, generation = recipe.candidate(side), recipe.generation_for(side)
        yield from candidate_problems(f"candidates.{side}", spec, generation)
        yield from template_problems(f"candidates.{side}", spec)
    kind = kind_of(recipe.kind)
    parts = recipe.optional_parts()
    missing = sorted(key for key in kind.needs if not parts[key])
    shown = _shown_in(recipe.kind) if missing else ""
    yield from (f"{key}: missing; kind {recipe.kind} needs it{shown}" for key in missing)
    for key, part in parts.items():
        if part and key not in kind.needs | kind.uses:
            yield f"{key}: kind {recipe.kind} does not use it; {_users(key)}"
    if not missing:
        yield from kind.problems(recipe)


def _shown_in(kind: str) -> str:
    """The shipped recipe of a kind, as the end of a message; empty where none is."""
    ships = (n for n in recipe_names() if read_yaml(packaged_recipe(n)).get("kind") == kind)
    name = next(ships, None)
    return "" if name is None else f", as in recipes/{name}.yaml"


def _many_problems(recipe: Recipe) -> Iterator[str]:
    """The faults of a recipe with candidates under names of their own."""
    kind = kind_of(recipe.kind)
    if "stop" not in kind.uses:
        yield f"candidates: kind {recipe.kind} knows A and B alone; llm_judge compares many"
    if not 2 <= len(recipe.names) <= MOST_CANDIDATES:
        yield (
            f"candidates: found {len(recipe.names)} names; A and B, or 2 to {MOST_CANDIDATES} "
            "names of your own are allowed"
        )
    base = recipe.pairs.removeprefix("against ")
    if recipe.pairs != "all" and base not in recipe.names:
        yield not_one_of("pairs: against", base, recipe.names)
    for name, spec in recipe.candidates.items():
        if spec.source == "file":
            yield f"candidates.{name}.file: of many candidates each is asked; name its model"
    for key in ("stop", "controls"):
        if getattr(recipe, key):
            yield f"{key}: allowed with A and B only"


def _users(key: str) -> str:
    *names, last = [name for name, kind in KINDS.items() if key in kind.needs | kind.uses]
    return f"{', '.join(names)} and {last} do" if names else f"{last} does"


def _unknown_kind(name: object) -> Iterator[str]:
    if isinstance(name, str) and name not in KINDS:
        yield not_one_of("kind", name, KINDS)
