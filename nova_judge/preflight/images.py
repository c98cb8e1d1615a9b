"""Container images that a run pulls, and the check that the registry has them."""

from contextlib import suppress
from typing import NamedTuple

from nova_judge.check import Check, NotRead
from nova_judge.errors import RecipeError
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.partitions import partition_of
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import CANDIDATES
from nova_judge.runs.training_job_request import evaluation_image
from nova_judge.sources.known_sources import source_of
from nova_judge.sources.recipe_endpoints import asked_models

JUDGE = "judge image"


class ImageFacts(NamedTuple):
    """Facts of an image: its presence; `others`: tags that it has instead, newest first."""

    exists: bool
    others: tuple[str, ...] = ()


def images_of(recipe: Recipe, region: str, asked: tuple[str, ...] = CANDIDATES) -> dict[str, str]:
    """Images of a run in this region: `judge image`, `serving image (vllm)` → the image's URI.

    What no registry of the region is known for is left out: other checks say so.
    """
    found: dict[str, str] = {}
    if kind_of(recipe.kind).judged_by(recipe).container:
        with suppress(RecipeError):
            found[JUDGE] = evaluation_image(region, recipe.judge.image)
    serving = catalog.images().serving
    account = serving.accounts.get(region)
    if account is not None:
        registry = f"{account}.dkr.ecr.{region}.{partition_of(region).suffix}"
        models = asked_models(recipe, asked).values()
        hostings = (source_of(model).hosting(model) for model in models)
        # Nova's image, and those that packages bring, have no name in `images.json`.
        for name in sorted({each.image for each in hostings if each and each.image}):
            found[f"serving image ({name})"] = f"{registry}/{serving.images[name]}"
    return found


def image_check(name: str, uri: str, facts: ImageFacts | NotRead | None) -> Check:
    """Check that the image of that name is there; if not, list those that are."""
    if facts is None:
        return Check(name, "pass", uri)
    if isinstance(facts, NotRead):
        return Check(name, "not run", f"{uri}: {facts.reason}")
    if facts.exists:
        return Check(name, "pass", f"{uri} is there")
    repository, _, tag = uri.rpartition(":")
    there = f"; it has {', '.join(facts.others)}" if facts.others else ""
    place = "judge.image in the recipe" if name == JUDGE else "nova_judge/data/images.json"
    return Check(
        name,
        "fail",
        f"{repository} has no image {tag} in this region{there}",
        f"name one that is there in {place}"
        + ("" if name == JUDGE else ", and deploy; ready pairs and Bedrock's models need none"),
    )
