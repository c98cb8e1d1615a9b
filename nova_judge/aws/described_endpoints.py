"""Reads what SageMaker says of an endpoint of the account, and which others there are."""

from collections.abc import Collection
from typing import Any

from botocore.exceptions import ClientError

from nova_judge.aws.client_errors import is_absent
from nova_judge.sources.endpoint_facts import EndpointFacts


def endpoint_facts(
    sagemaker: Any,  # noqa: ANN401 - boto3's client
    name: str,
    asked: Collection[str] = (),
) -> EndpointFacts | None:
    """The endpoint as it is now; None where the account has none of that name.

    `asked` names the components whose images are wanted: their endpoint may state none.
    """
    try:
        described = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if is_absent(error):
            return None
        raise
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
