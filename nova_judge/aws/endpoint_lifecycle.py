"""SageMaker endpoints: what state they are in, created from a configuration, deleted; and what
SageMaker says of an endpoint that the account has.
"""

import functools
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from nova_judge.answers.hosting import NoCapacityError
from nova_judge.answers.leases import EndpointStatus, Observed
from nova_judge.aws import aws_clients
from nova_judge.aws.client_errors import code_of, is_absent, passing_absent
from nova_judge.aws.endpoint_configs import remove_configs
from nova_judge.errors import EndpointError
from nova_judge.sources.request_forms import EndpointFacts
from nova_judge.sources.served import OWN
from nova_judge.tags import stage_tags

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

_STATUS = {
    "InService": EndpointStatus.IN_SERVICE,
    "Failed": EndpointStatus.FAILED,
    "OutOfService": EndpointStatus.FAILED,
    "RollingBack": EndpointStatus.STARTING,
    "Deleting": EndpointStatus.DELETING,
}
ABSENT = Observed(EndpointStatus.ABSENT)


class SageMakerEndpoints:
    """`hosting.Endpoints`; `stage` is whose cost tags what it creates carries."""

    def __init__(self, client: "SageMakerClient", stage: str | None = None) -> None:
        self._client = client
        self._tags: Sequence[TagTypeDef] = [
            {"Key": key, "Value": value}
            for key, value in (stage_tags(stage) if stage else {}).items()
        ]

    def observe(self, name: str) -> Observed:
        """The endpoint as it is now."""
        with passing_absent():
            endpoint = self._client.describe_endpoint(EndpointName=name)
            return Observed(
                _STATUS.get(endpoint["EndpointStatus"], EndpointStatus.STARTING),
                reason=endpoint.get("FailureReason", ""),
                since=endpoint["CreationTime"].timestamp(),
                config=endpoint.get("EndpointConfigName", ""),
            )
        return ABSENT

    def create(self, name: str, config: str) -> None:
        """Begin to create it; raises NoCapacityError, or EndpointError without a configuration.

        One that exists already is fine. SageMaker may not know a configuration yet that has just
        been made: then nothing is created, and the next call asks again. Source: botocore's
        CreateEndpoint, on eventually consistent reads.
        """
        try:
            self._client.create_endpoint(
                EndpointName=name, EndpointConfigName=config, Tags=self._tags
            )
        except ClientError as error:
            if "already exist" in str(error):
                return
            if is_absent(error):
                if _is_own(name):
                    return
                raise EndpointError(
                    f"the endpoint configuration {config} is not there: deploy the stack of "
                    "endpoints (`make deploy`). Ready pairs and Bedrock's models need no endpoint"
                ) from error
            # An instance type that a region lacks is refused like a wrong request.
            if code_of(error) in {"ResourceLimitExceeded", "ValidationException"}:
                raise NoCapacityError(str(error)) from error
            raise

    def delete(self, name: str) -> bool:
        """Begin to delete it; False where it cannot be deleted just now."""
        try:
            self._client.delete_endpoint(EndpointName=name)
        except ClientError as error:
            if code_of(error) != "ValidationException":
                raise
            if not is_absent(error):
                return False
        if _is_own(name):
            # What it was made of is made for it alone; costs nothing, and is in the way of others.
            remove_configs(self._client, name)
        return True

    def instance_type(self, name: str) -> str | None:
        """The instance type that its configuration names; None where either is gone."""
        with passing_absent():
            config = self._client.describe_endpoint(EndpointName=name).get("EndpointConfigName", "")
            described = self._client.describe_endpoint_config(EndpointConfigName=config)
            return described["ProductionVariants"][0].get("InstanceType")
        return None

    def names(self, prefix: str) -> Iterable[str]:
        """The endpoints whose names begin with `prefix`."""
        pages = self._client.get_paginator("list_endpoints").paginate(NameContains=prefix)
        names = pages.search("Endpoints[].EndpointName")
        return (name for name in names if name.startswith(prefix))


@functools.cache
def sagemaker_endpoints(stage: str | None = None) -> SageMakerEndpoints:
    """The endpoints of this account and region; whoever creates one names the stage."""
    return SageMakerEndpoints(aws_clients.sagemaker(), stage)


def _is_own(name: str) -> bool:
    return f"-{OWN}" in name


def endpoint_facts(
    sagemaker: Any,  # noqa: ANN401 - boto3's client
    name: str,
    asked: Collection[str] = (),
) -> EndpointFacts | None:
    """The endpoint as it is now; None where the account has none of that name.

    `asked` names the components whose images are wanted: their endpoint may state none.
    """
    described: Any = None
    with passing_absent():
        described = sagemaker.describe_endpoint(EndpointName=name)
    if described is None:
        return None
    variants = described.get("ProductionVariants", [])
    images = [
        image.get("SpecifiedImage") for v in variants for image in v.get("DeployedImages", [])
    ]
    counts = [v["CurrentInstanceCount"] for v in variants if "CurrentInstanceCount" in v]
    changed = described.get("LastModifiedTime") or described["CreationTime"]
    return EndpointFacts(
        described["EndpointStatus"],
        tuple(image for image in images if image),
        f"{described.get('EndpointConfigName', '')} {changed.isoformat()}",
        described.get("FailureReason", ""),
        sum(counts) if counts else None,
        "AsyncInferenceConfig" in described,
        described.get("DataCaptureConfig", {}).get("EnableCapture", False),
        _components(sagemaker, name, asked),
    )


def endpoint_names(sagemaker: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Names of endpoints that the account has, the latest first."""
    page = sagemaker.list_endpoints(SortBy="CreationTime", SortOrder="Descending", MaxResults=100)
    return tuple(endpoint["EndpointName"] for endpoint in page["Endpoints"])


def _components(sagemaker: Any, name: str, asked: Collection[str]) -> dict[str, str]:  # noqa: ANN401
    page = sagemaker.list_inference_components(EndpointNameEquals=name, MaxResults=100)
    names = [item["InferenceComponentName"] for item in page["InferenceComponents"]]
    return {each: _image(sagemaker, each) if each in asked else "" for each in names}


def _image(sagemaker: Any, component: str) -> str:  # noqa: ANN401
    described = sagemaker.describe_inference_component(InferenceComponentName=component)
    container = described.get("Specification", {}).get("Container", {})
    return str(container.get("DeployedImage", {}).get("SpecifiedImage", ""))
