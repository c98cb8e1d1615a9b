"""The stand-in for what the pre-flight checks ask: Service Quotas, and Bedrock's list of models."""

import json
from collections.abc import Collection, Mapping
from urllib.parse import unquote

from nova_judge.recipe import catalog
from nova_judge_local.sagemaker.api import HttpAnswer, json_answer

QUOTA_ROUTES = {
    "target_prefixes": ["ServiceQuotasV20190624."],
    "host_patterns": [r"servicequotas\."],
    "credential_scope": "servicequotas",
}
USES = ("training job usage", "endpoint usage")
INSTANCES_ALLOWED = 10.0

_AVAILABILITY = "/foundation-model-availability/"
_GRANTED = {
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}
_FOUNDATION, _PROFILE = "/foundation-models/", "/inference-profiles/"


def quotas(changed: Mapping[str, float], headers: Mapping[str, str], body: bytes) -> HttpAnswer:
    """Answer ListServiceQuotas: ten instances of every type we know, unless `changed` says else."""
    asked = json.loads(body or b"{}").get("ServiceCode")
    if not _target(headers).endswith(".ListServiceQuotas") or asked != "sagemaker":
        message = {"__type": "IllegalArgumentException", "message": "local mode: ListServiceQuotas"}
        return json_answer(message, 400)
    values = {f"{kind} for {use}": INSTANCES_ALLOWED for kind in _instances() for use in USES}
    entries = [
        {"ServiceCode": "sagemaker", "QuotaName": name, "Value": value}
        for name, value in sorted({**values, **changed}.items())
    ]
    return json_answer({"Quotas": entries})


def registry(absent: Collection[str], headers: Mapping[str, str], body: bytes) -> HttpAnswer | None:
    """Every image is in Amazon ECR, but for the `absent` tags; None for any other call."""
    if not _target(headers).endswith(".BatchGetImage"):
        return None
    wanted = json.loads(body or b"{}").get("imageIds", ())
    images = [{"imageId": one} for one in wanted if one.get("imageTag") not in absent]
    failures = [
        {"imageId": one, "failureCode": "ImageNotFound", "failureReason": "not found"}
        for one in wanted
        if one.get("imageTag") in absent
    ]
    return json_answer({"images": images, "failures": failures})


def bedrock_model(method: str, path: str) -> HttpAnswer | None:
    """Every model is there and active, through a profile as well; None for any other call."""
    path = unquote(path)
    if method != "GET":
        return None
    if path.startswith(_PROFILE):
        name = path.removeprefix(_PROFILE)
        model = {"modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{name}"}
        return json_answer({"models": [model], "status": "ACTIVE"})
    if path.startswith(_AVAILABILITY):
        asked = {"modelId": path.removeprefix(_AVAILABILITY)}
        return json_answer(_GRANTED | asked)
    if path.startswith(_FOUNDATION):
        details = {
            "modelId": path.rsplit("/", 1)[-1],
            "inferenceTypesSupported": ["ON_DEMAND"],
            "modelLifecycle": {"status": "ACTIVE"},
        }
        return json_answer({"modelDetails": details})
    return None


def _target(headers: Mapping[str, str]) -> str:
    """The operation that a call of JSON 1.1 names."""
    return {name.lower(): value for name, value in headers.items()}.get("x-amz-target", "")


def _instances() -> set[str]:
    judges = [model.instance_types for model in catalog.compatibility().models.values()]
    served = [model.instance_types for model in catalog.models().endpoints.values()]
    return {kind for kinds in [*judges, *served] for kind in kinds}
