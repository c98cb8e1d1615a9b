"""What a judge job does in its role's name with things that only the recipe names."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import UNSET

from nova_judge.recipe.recipe import Recipe

_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com(\.cn)?/([^:@]+)(?:[:@].+)?")


class RoleUse(NamedTuple):
    """An IAM action on an ARN, and the key of a stage in cdk.json that allows it."""

    action: str
    resource: str
    key: str


def role_uses(recipe: Recipe) -> tuple[RoleUse, ...]:
    """A function named by its ARN is invoked, a full image URI of Amazon ECR is pulled."""
    uses = [RoleUse("lambda:InvokeFunction", arn, "scorer_functions") for arn in _functions(recipe)]
    image = _IMAGE.fullmatch(recipe.judge.image or "")
    if image is not None:
        account, region, china, repository = image.groups()
        partition = "aws-cn" if china else "aws-us-gov" if region.startswith("us-gov-") else "aws"
        arn = f"arn:{partition}:ecr:{region}:{account}:repository/{repository}"
        uses.append(RoleUse("ecr:BatchGetImage", arn, "judge_image_repositories"))
    return tuple(uses)


def _functions(recipe: Recipe) -> Iterator[str]:
    named: list[object] = [recipe.judge.scorer]
    nova = recipe.judge.nova
    if nova is not None and nova.processor is not UNSET:
        named.append(nova.processor.lambda_arn)
    if nova is not None and nova.rl_env is not UNSET:
        named.append(nova.rl_env.reward_lambda_arn)
    return (name for name in named if isinstance(name, str) and ":lambda:" in name)
