"""Models and EndpointConfigs for weights that a recipe names: made for a run, removed with it."""

import functools
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import msgspec
from botocore.exceptions import ClientError

from nova_judge.recipe import catalog
from nova_judge.recipe.catalog import endpoint_name
from nova_judge.sources.weights import OWN, Served
from nova_judge.tags import stage_tags

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

DOWNLOAD_S, START_S = 20 * 60, 23 * 60
"""Seconds that weights may take to arrive, and the server to load them: together less than
`leases.LONGEST_START_S`, after which the run gives the endpoint up."""


class Serving(NamedTuple):
    """The place where weights are served; `registry` is the host of AWS's serving images."""

    prefix: str
    stage: str
    role_arn: str
    registry: str
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()


def ensure_configs(
    sagemaker: "SageMakerClient", served: Served, types: Sequence[str], place: Serving
) -> dict[str, str]:
    """A configuration for each instance type, by name; those that are there stay."""
    endpoint = endpoint_name(place.prefix, served.endpoint)
    tags: list[TagTypeDef] = [
        {"Key": key, "Value": value} for key, value in stage_tags(place.stage).items()
    ]
    configs: dict[str, str] = {}
    for kind in types:
        model, config = requests(served, kind, place)
        _unless_there(functools.partial(sagemaker.create_model, **model, Tags=tags))
        _unless_there(functools.partial(sagemaker.create_endpoint_config, **config, Tags=tags))
        configs[kind] = name = config["EndpointConfigName"]
        # AWS recommends to read it before it is used (botocore, CreateEndpoint).
        _if_there(functools.partial(sagemaker.describe_endpoint_config, EndpointConfigName=name))
    assert all(name.startswith(endpoint) for name in configs.values())  # noqa: S101 - see remove
    return configs


def requests(served: Served, kind: str, place: Serving) -> tuple[dict[str, Any], dict[str, Any]]:
    """What CreateModel and CreateEndpointConfig are sent, under one name."""
    gpus = catalog.compatibility().gpus[kind].gpus
    container: dict[str, Any] = {
        "Image": f"{place.registry}/{served.image}",
        "Environment": served.environment(gpus),
    }
    if served.weights.startswith("s3://"):
        source = {"S3Uri": served.weights, "S3DataType": "S3Prefix", "CompressionType": "None"}
        container["ModelDataSource"] = {"S3DataSource": source}
    model: dict[str, Any] = {
        "PrimaryContainer": container,
        "ExecutionRoleArn": place.role_arn,
        # Weights from elsewhere may bring code; without a network it tells nobody anything.
        "EnableNetworkIsolation": served.weights.startswith("s3://"),
    }
    if place.subnets:
        subnets, groups = list(place.subnets), list(place.security_groups)
        model["VpcConfig"] = {"Subnets": subnets, "SecurityGroupIds": groups}
    digest = hashlib.sha256(msgspec.json.encode([model, kind], order="sorted")).hexdigest()[:10]
    name = f"{endpoint_name(place.prefix, served.endpoint)}-{digest}"
    variant = {
        "VariantName": "main",
        "ModelName": name,
        "InstanceType": kind,
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
        "ContainerStartupHealthCheckTimeoutInSeconds": START_S,
        "ModelDataDownloadTimeoutInSeconds": DOWNLOAD_S,
        "InferenceAmiVersion": catalog.host_ami(served.image),
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    }
    config = {"EndpointConfigName": name, "ProductionVariants": [variant]}
    return {"ModelName": name, **model}, config


def remove_configs(sagemaker: "SageMakerClient", endpoint: str) -> list[str]:
    """Remove the configurations and models whose names begin with that of their endpoint."""
    removed: list[str] = []
    for config in sagemaker.list_endpoint_configs(NameContains=endpoint)["EndpointConfigs"]:
        name = config["EndpointConfigName"]
        if name.startswith(f"{endpoint}-"):
            _if_there(functools.partial(sagemaker.delete_endpoint_config, EndpointConfigName=name))
            removed.append(name)
    for model in sagemaker.list_models(NameContains=endpoint)["Models"]:
        if model["ModelName"].startswith(f"{endpoint}-"):
            _if_there(functools.partial(sagemaker.delete_model, ModelName=model["ModelName"]))
    return removed


def endpoints_with_configs(sagemaker: "SageMakerClient", prefix: str) -> dict[str, float]:
    """The names of own weights' endpoints, there or not, and when a configuration last came.

    In epoch seconds; of what stands after a run was cut off between two calls.
    """
    found: dict[str, float] = {}
    pages = sagemaker.get_paginator("list_endpoint_configs")
    for page in pages.paginate(NameContains=f"{prefix}{OWN}"):
        for config in page["EndpointConfigs"]:
            name = config["EndpointConfigName"].rpartition("-")[0]
            if name.startswith(f"{prefix}{OWN}"):
                created = config["CreationTime"].timestamp()
                found[name] = max(created, found.get(name, 0.0))
    return found


@functools.cache
def sagemaker_client() -> "SageMakerClient":
    """The client of this account and region."""
    return boto3.client("sagemaker")


def _unless_there(create: "functools.partial[Any]") -> None:
    try:
        create()
    except ClientError as error:
        if "already exist" not in str(error):
            raise


def _if_there(call: "functools.partial[Any]") -> None:
    try:
        call()
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
