"""Amazon ECR, as the checks before a run ask it: is the pinned image there, and what else is?"""

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nova_judge.aws.client_errors import code_of
from nova_judge.preflight.images import ImageFacts

MOST_NAMED = 5
_URI = re.compile(r"(\d{12})\.dkr\.ecr\.[^/]+/([^:@]+)(?::([^@]+))?(@.+)?")
_ABSENT = {"ImageNotFoundException", "RepositoryNotFoundException"}


def image_facts(ecr: Any, uri: str) -> ImageFacts:  # noqa: ANN401 - one typed client a service
    """Ask whether an image of Amazon ECR exists; raises what ECR raises.

    Asked as a pull would ask, because that is what AWS's registries allow other accounts.
    """
    parts = _URI.fullmatch(uri)
    if parts is None:
        return ImageFacts(True)  # another registry than ECR: SageMaker will tell
    account, repository, tag, digest = parts.groups()
    image = {"imageDigest": digest[1:]} if digest else {"imageTag": tag or "latest"}
    place = {"registryId": account, "repositoryName": repository}
    try:
        answer = ecr.batch_get_image(**place, imageIds=[image])
    except ClientError as error:
        if code_of(error) not in _ABSENT:
            raise
        return ImageFacts(False)
    if answer.get("images"):
        return ImageFacts(True)
    return ImageFacts(False, _others(ecr, place))


def _others(ecr: Any, place: dict[str, str]) -> tuple[str, ...]:  # noqa: ANN401
    """Some tags that are there; none where the registry does not list them to others."""
    try:
        pages = ecr.get_paginator("list_images").paginate(
            **place, filter={"tagStatus": "TAGGED"}, PaginationConfig={"MaxItems": 5_000}
        )
        tags = set(pages.search("imageIds[].imageTag"))
    except (BotoCoreError, ClientError):
        return ()
    return tuple(sorted(tags, key=_by_version, reverse=True)[:MOST_NAMED])


def _by_version(tag: str) -> list[tuple[int, str]]:
    """Numbers in a tag count as numbers: 0.30 is newer than 0.9."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", tag)]
