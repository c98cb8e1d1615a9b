"""Models and EndpointConfigs of what a recipe names: made for a run, removed with it."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from nova_judge.aws.client_errors import passing
from nova_judge.errors import SettingsError
from nova_judge.recipe import catalog
from nova_judge.recipe.catalog import endpoint_name
from nova_judge.sources.served import ADAPTER, OWN, Served, image_uri
from nova_judge.tags import stage_tags

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

DOWNLOAD_S, START_S = 20 * 60, 23 * 60
"""Seconds that weights may take to arrive, and the server to load them: together less than
`leases.LONGEST_START_S`, after which the run gives the endpoint up."""

_THERE, _GONE = ("already exist",), ("Could not find",)

Request: TypeAlias = dict[str, Any]


class Serving(NamedTuple):
    """The place where models are served; `registry` is the host of AWS's serving images."""

    prefix: str
    stage: str
    role_arn: str
    registry: str
    region: str
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()


def ensure_configs(
    sagemaker: "SageMakerClient", model: str, served: Served, types: Sequence[str], place: Serving
) -> dict[str, str]:
    """A configuration for each instance type, by name; those that are there stay.

    `model` is the endpoint's name after the stage's prefix.
    """
    endpoint = endpoint_name(place.prefix, model)
    tags: list[TagTypeDef] = [
        {"Key": key, "Value": value} for key, value in stage_tags(place.stage).items()
    ]
    configs: dict[str, str] = {}
    for kind in types:
        container, config = requests(endpoint, served, kind, place)
        with passing(saying=_THERE):
            sagemaker.create_model(**container, Tags=tags)
        # A run that has just given the endpoint up may have removed the model again: the next call,
        # which creates both, finds the endpoint without a configuration (`create`).
        with passing(saying=(*_THERE, *_GONE)):
            sagemaker.create_endpoint_config(**config, Tags=tags)
        configs[kind] = name = config["EndpointConfigName"]
        # AWS recommends to read it before it is used (botocore, CreateEndpoint).
        with passing(saying=_GONE):
            sagemaker.describe_endpoint_config(EndpointConfigName=name)
    return configs


def requests(endpoint: str, served: Served, kind: str, place: Serving) -> tuple[Request, Request]:
    """What CreateModel and CreateEndpointConfig are sent, under one name that begins as that of
    the endpoint.
    """
    model: Request = {
        "PrimaryContainer": _container(served, kind, place),
        "ExecutionRoleArn": place.role_arn,
        # Weights from elsewhere may bring code; without a network it tells nobody anything.
        "EnableNetworkIsolation": served.offline,
    }
    if place.subnets:
        subnets, groups = list(place.subnets), list(place.security_groups)
        model["VpcConfig"] = {"Subnets": subnets, "SecurityGroupIds": groups}
    digest = hashlib.sha256(msgspec.json.encode([model, kind], order="sorted")).hexdigest()[:10]
    name = f"{endpoint}-{digest}"
    variant = {
        "VariantName": "main",
        "ModelName": name,
        "InstanceType": kind,
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
        "ContainerStartupHealthCheckTimeoutInSeconds": START_S,
        "ModelDataDownloadTimeoutInSeconds": DOWNLOAD_S,
        **_host(served),
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    }
    config = {"EndpointConfigName": name, "ProductionVariants": [variant]}
    return {"ModelName": name, **model}, config


def _container(served: Served, kind: str, place: Serving) -> Request:
    """The container: a version of the registry under its name, or image and weights."""
    variables = served.environment(kind)
    if served.package:
        named: Request = {"ModelPackageName": served.package}
        if served.image != "package":  # the version has no image of its own
            named["Image"] = image_uri(served, place.registry, place.region)
        return {**named, **({"Environment": variables} if variables else {})}
    container: Request = {
        "Image": image_uri(served, place.registry, place.region),
        "Environment": variables,
    }
    if served.in_s3:
        container["ModelDataSource"] = _source(served.weights)
        if served.adapter:
            channel = {"ChannelName": ADAPTER, **_source(served.adapter)}
            container["AdditionalModelDataSources"] = [channel]
    elif served.adapter:
        container["ModelDataSource"] = _source(served.adapter)
    return container


def _source(uri: str) -> Request:
    """A folder as it is, or an archive that SageMaker unpacks."""
    folder = uri.endswith("/")
    kind, packed = ("S3Prefix", "None") if folder else ("S3Object", "Gzip")
    return {"S3DataSource": {"S3Uri": uri, "S3DataType": kind, "CompressionType": packed}}


def _host(served: Served) -> dict[str, str]:
    """The host's driver for AWS's images; others run on SageMaker's own choice."""
    if served.image == "nova":
        return {}
    images = catalog.images().serving.images
    image = served.uri if served.image == "package" else images[served.image]
    try:
        return {"InferenceAmiVersion": catalog.host_ami(image)}
    except SettingsError:
        if served.image != "package":
            raise
        return {}


def remove_configs(sagemaker: "SageMakerClient", endpoint: str) -> list[str]:
    """Remove the configurations and models whose names begin with that of their endpoint."""
    ours = f"{endpoint}-"
    configs = sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=endpoint)
    listed = configs.search("EndpointConfigs[].EndpointConfigName")
    removed = [name for name in listed if name.startswith(ours)]
    for name in removed:
        with passing(saying=_GONE):
            sagemaker.delete_endpoint_config(EndpointConfigName=name)
    models = sagemaker.get_paginator("list_models").paginate(NameContains=endpoint)
    for name in list(models.search("Models[].ModelName")):
        if name.startswith(ours):
            with passing(saying=_GONE):
                sagemaker.delete_model(ModelName=name)
    return removed


def endpoints_with_configs(sagemaker: "SageMakerClient", prefix: str) -> dict[str, float]:
    """The names of own weights' endpoints, there or not, and when a configuration last came.

    In epoch seconds; of what stands after a run was cut off between two calls.
    """
    found: dict[str, float] = {}
    listing = sagemaker.get_paginator("list_endpoint_configs")
    for config in listing.paginate(NameContains=f"{prefix}{OWN}").search("EndpointConfigs"):
        name = config["EndpointConfigName"].rpartition("-")[0]
        if name.startswith(f"{prefix}{OWN}"):
            created = config["CreationTime"].timestamp()
            found[name] = max(created, found.get(name, 0.0))
    return found
