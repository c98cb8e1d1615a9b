"""The rights that a judge job needs on things that only the recipe names."""

import re
from typing import NamedTuple

from nova_judge.kinds.known_kinds import kind_of
from nova_judge.partitions import partition_of
from nova_judge.recipe.recipe import Recipe

_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([\w-]+)\.[a-z.-]+/([^:@]+)(?:[:@].+)?")


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
