"""The CloudFormation types of SageMaker that the stacks use: thin, the properties are the API's."""

import json
from typing import Any, TypeAlias

from ministack.services.cloudformation import provisioners

from nova_judge_local.sagemaker.api import Parameters, SageMakerApi

Created: TypeAlias = tuple[str, dict[str, str]]

NOUNS = ("Model", "EndpointConfig", "Endpoint")
_NUMBERS = {
    "InitialInstanceCount": int,
    "InitialVariantWeight": float,
    "VolumeSizeInGB": int,
    "ModelDataDownloadTimeoutInSeconds": int,
    "ContainerStartupHealthCheckTimeoutInSeconds": int,
}


def install(api: SageMakerApi) -> None:
    """Register every type with the emulator."""
    for noun in NOUNS:
        provisioners._RESOURCE_HANDLERS[f"AWS::SageMaker::{noun}"] = _handler(api, noun)


def _handler(api: SageMakerApi, noun: str) -> dict[str, Any]:
    key = f"{noun}Name"

    def create(logical_id: str, properties: Parameters, stack: str) -> Created:
        given = provisioners._physical_name(stack, logical_id, max_len=63).lower()
        name = properties.get(key) or given
        parameters = {**_typed(properties), key: name}
        made = api.call(f"Create{noun}", parameters)[f"{noun}Arn"]
        return made, {key: name, "Id": made}

    def delete(physical_id: str, properties: Parameters) -> None:
        name = properties.get(key) or physical_id.rsplit("/", 1)[-1]
        api.call(f"Delete{noun}", {key: name})

    return {"create": create, "delete": delete}


def _typed(properties: Parameters) -> Parameters:
    """CloudFormation hands numbers over as text."""
    typed: Parameters = json.loads(json.dumps(properties))
    for variant in typed.get("ProductionVariants", []):
        for key, number in _NUMBERS.items():
            if key in variant:
                variant[key] = number(variant[key])
    return typed
