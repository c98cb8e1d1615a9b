"""Bedrock's models and images of Amazon ECR, as the checks before a run ask for them: lifecycle and
access; is the pinned image there, and what else is?
"""

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nova_judge.aws.client_errors import code_of, passing
from nova_judge.check import NotRead
from nova_judge.preflight.images import ImageFacts
from nova_judge.preflight.model_check import GEOGRAPHIES, Access, ModelFacts

_ABSENT = {"ResourceNotFoundException", "ValidationException"}
_NOT_SENT = "ResourceNotFoundException"
MOST_NAMED = 5
_URI = re.compile(r"(\d{12})\.dkr\.ecr\.[^/]+/([^:@]+)(?::([^@]+))?(@.+)?")
_NO_IMAGE = {"ImageNotFoundException", "RepositoryNotFoundException"}


def model_facts(bedrock: Any, model: str) -> ModelFacts | NotRead:  # noqa: ANN401
    """A model by its id, its inference profile or its ARN; raises what Bedrock raises.

    A profile may lead to models that this region does not list: what Bedrock answers of those says
    nothing of the profile, and is raised.
    """
    for kind, read in _OWN.items():
        if f":{kind}/" in model:
            return read(bedrock, model)
    if ":prompt-router/" in model or ":default-prompt-router/" in model:
        return NotRead("a prompt router chooses its models itself: it is not checked")
    if "inference-profile/" in model or model.partition(".")[0] in GEOGRAPHIES:
        return _of_profile(bedrock, model)
    try:
        return _of_foundation(bedrock, model, profile=False)
    except ClientError as error:
        if code_of(error) not in _ABSENT:
            raise
        if model.count(".") < 2:
            return ModelFacts("ABSENT")
    return _of_profile(bedrock, model)  # perhaps of a geography that we do not know


def offered_models(bedrock: Any) -> tuple[str, ...]:  # noqa: ANN401
    """The ids of models and inference profiles that the account lists here."""
    models = bedrock.list_foundation_models()["modelSummaries"]
    profiles = bedrock.get_paginator("list_inference_profiles").paginate()
    ids = profiles.search("inferenceProfileSummaries[].inferenceProfileId")
    return (*(each["modelId"] for each in models), *ids)


def _of_profile(bedrock: Any, model: str) -> ModelFacts:  # noqa: ANN401
    try:
        profile = bedrock.get_inference_profile(inferenceProfileIdentifier=model)
    except ClientError as error:
        if code_of(error) not in _ABSENT:
            raise
        return ModelFacts("ABSENT")
    # By its id: the ARN of a global profile's model has no region, which Bedrock refuses.
    name = profile["models"][0]["modelArn"].rsplit("/", 1)[-1]
    return _of_foundation(bedrock, name, profile=True)


def _of_foundation(bedrock: Any, name: str, *, profile: bool) -> ModelFacts:  # noqa: ANN401
    details = bedrock.get_foundation_model(modelIdentifier=name)["modelDetails"]
    on_demand = "ON_DEMAND" in details.get("inferenceTypesSupported", ["ON_DEMAND"])
    lifecycle = details.get("modelLifecycle", {})
    return ModelFacts(
        "LEGACY" if lifecycle.get("status") == "LEGACY" else "ACTIVE",
        lifecycle.get("endOfLifeTime"),
        profile or on_demand,
        _access(bedrock, name)._replace(**({"here": None} if profile else {})),
    )


def _access(bedrock: Any, name: str) -> Access:  # noqa: ANN401
    """Ask AWS for the account's access to a foundation model; empty where it refuses to say."""
    try:
        availability = bedrock.get_foundation_model_availability(modelId=name)
    except (BotoCoreError, ClientError):
        return Access()
    agreement = availability.get("agreementAvailability", {}).get("status")
    asks_form = name.startswith("anthropic.") and agreement != "AVAILABLE"
    return Access(
        # Amazon's own models need no subscription.
        None if name.startswith("amazon.") else agreement,
        {"AUTHORIZED": True, "NOT_AUTHORIZED": False}.get(
            availability.get("authorizationStatus", "")
        ),
        _form_is_sent(bedrock) if asks_form else None,
        {"AVAILABLE": True, "NOT_AVAILABLE": False}.get(availability.get("regionAvailability", "")),
    )


def _form_is_sent(bedrock: Any) -> bool | None:  # noqa: ANN401
    try:
        bedrock.get_use_case_for_model_access()
    except ClientError as error:
        return False if code_of(error) == _NOT_SENT else None
    except BotoCoreError:
        return None
    return True


def _provisioned(bedrock: Any, arn: str) -> ModelFacts:  # noqa: ANN401
    throughput = bedrock.get_provisioned_model_throughput(provisionedModelId=arn)
    return _own(throughput.get("status"), "InService", "its provisioned throughput")


def _deployment(bedrock: Any, arn: str) -> ModelFacts:  # noqa: ANN401
    deployment = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)
    return _own(deployment.get("status"), "Active", "its deployment")


def _imported(bedrock: Any, arn: str) -> ModelFacts:  # noqa: ANN401
    model = bedrock.get_imported_model(modelIdentifier=arn)
    if model.get("instructSupported") is False:
        return ModelFacts("ACTIVE", trouble="Converse cannot call it: it is not an instruct model")
    return ModelFacts("ACTIVE")


def _own(status: str | None, ready: str, what: str) -> ModelFacts:
    # Without a status nothing speaks against it.
    waits = status not in (None, ready)
    return ModelFacts("ACTIVE", trouble=f"{what} is {status}, not {ready}" if waits else None)


_OWN = {
    "provisioned-model": _provisioned,
    "custom-model-deployment": _deployment,
    "imported-model": _imported,
}


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
    with passing(*_NO_IMAGE):
        answer = ecr.batch_get_image(**place, imageIds=[image])
        there = bool(answer.get("images"))
        return ImageFacts(there, () if there else _others(ecr, place))
    return ImageFacts(False)


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
