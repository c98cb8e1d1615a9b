"""Endpoints: Model and EndpointConfigs of every candidate that SageMaker serves.

The state machine creates and deletes the endpoints themselves (`on_demand`), or this stack keeps
them (`always_on`).
"""

import hashlib
import json

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from nova_judge.recipe import catalog
from nova_judge.recipe.catalog import EndpointModel
from stacks.config import StageConfig, Vpc
from stacks.constructs.grants import (
    SERVING_LOGS,
    allow_container,
    container_role,
    let_containers_in,
    serving_registry,
)
from stacks.constructs.names import pascal, repository_arn

HEALTH_CHECK_SECONDS = 900


class EndpointsStack(cdk.Stack):
    """`configs` maps model → instance type → EndpointConfig name, in the order of preference."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(
            scope, construct_id, description="Nova Judge: models to serve as candidates"
        )
        self.configs: dict[str, dict[str, str]] = {}
        self._registry = serving_registry(self)
        role = self._serving_role(config)
        for name in config.endpoint_models:
            spec = catalog.models().endpoints[name]
            model = self._model(name, spec, role, config.vpc)
            endpoint = catalog.endpoint_name(config.prefix, name)
            configs = {
                kind: self._config(name, endpoint, spec, model, kind)
                for kind in spec.instance_types
            }
            self.configs[name] = {kind: str(c.endpoint_config_name) for kind, c in configs.items()}
            if config.endpoints == "always_on":
                first = configs[spec.instance_types[0]]
                sagemaker.CfnEndpoint(
                    self,
                    pascal("Endpoint", name),
                    endpoint_name=endpoint,
                    endpoint_config_name=first.attr_endpoint_config_name,
                )

    def _serving_role(self, config: StageConfig) -> iam.Role:
        description = "Pulls the serving image, writes logs and metrics; reads no data of ours"
        role = container_role(self, "ServingRole", description)
        served = {catalog.models().endpoints[name].serving for name in config.endpoint_models}
        images = [catalog.images().serving.images[serving] for serving in sorted(served)]
        repositories = [repository_arn(self, self._registry, each.split(":")[0]) for each in images]
        allow_container(role, repositories, SERVING_LOGS)
        if config.vpc:
            let_containers_in(role, self, config.vpc)
        return role

    def _model(
        self, name: str, spec: EndpointModel, role: iam.Role, vpc: Vpc | None
    ) -> sagemaker.CfnModel:
        image = catalog.images().serving.images[spec.serving]
        model = sagemaker.CfnModel(
            self,
            pascal("Model", name),
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=f"{self._registry}.dkr.ecr.{self.region}.{self.url_suffix}/{image}",
                environment=spec.environment,
            ),
            vpc_config=(
                sagemaker.CfnModel.VpcConfigProperty(
                    subnets=list(vpc.subnets), security_group_ids=list(vpc.security_groups)
                )
                if vpc
                else None
            ),
        )
        model.node.add_dependency(role)
        return model

    def _config(
        self,
        name: str,
        endpoint: str,
        spec: EndpointModel,
        model: sagemaker.CfnModel,
        instance_type: str,
    ) -> sagemaker.CfnEndpointConfig:
        """Named after its content, so that other stacks name it without importing an export.

        It cannot be changed, only replaced; CloudFormation refuses to change an export in use.
        """
        variant = sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name="main",
            model_name=model.attr_model_name,
            instance_type=instance_type,
            initial_instance_count=1,
            initial_variant_weight=1,
            container_startup_health_check_timeout_in_seconds=HEALTH_CHECK_SECONDS,
            model_data_download_timeout_in_seconds=HEALTH_CHECK_SECONDS,
            inference_ami_version=catalog.host_ami(catalog.images().serving.images[spec.serving]),
            routing_config=sagemaker.CfnEndpointConfig.RoutingConfigProperty(
                routing_strategy="LEAST_OUTSTANDING_REQUESTS"
            ),
        )
        content = self.resolve([variant, model.primary_container])
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]
        return sagemaker.CfnEndpointConfig(
            self,
            pascal("Config", name, instance_type),
            endpoint_config_name=f"{endpoint[:52]}-{digest}",
            production_variants=[variant],
        )
