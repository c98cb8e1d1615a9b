"""Container images that a run pulls, the check that the registry has them, and what else the judge
job needs a right to, because only the recipe names it.
"""

import re
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
from nova_judge.sources.known_sources import asked_models, source_of

JUDGE = "judge image"
_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([\w-]+)\.[a-z.-]+/([^:@]+)(?:[:@].+)?")


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


class RoleUse(NamedTuple):
    """An IAM action on an ARN, and the key of a stage in cdk.json that allows it."""

    action: str
    resource: str
    key: str


def role_uses(recipe: Recipe) -> tuple[RoleUse, ...]:
    """A function named by its ARN is invoked, a full image URI of Amazon ECR is pulled."""
    functions = sorted(kind_of(recipe.kind).judged_by(recipe).functions)
    uses = [RoleUse("lambda:InvokeFunction", arn, "scorer_functions") for arn in functions]
    image = _IMAGE.fullmatch(recipe.judge.image or "")
    if image is not None:
        account, region, repository = image.groups()
        arn = f"arn:{partition_of(region).name}:ecr:{region}:{account}:repository/{repository}"
        uses.append(RoleUse("ecr:BatchGetImage", arn, "judge_image_repositories"))
    return tuple(uses)
