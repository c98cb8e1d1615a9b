"""Reads what the pre-flight checks need to know of an account; what cannot be read says why."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from nova_judge.aws import aws_clients
from nova_judge.aws.client_errors import passing
from nova_judge.aws.endpoint_lifecycle import endpoint_facts, endpoint_names
from nova_judge.aws.models import image_facts, model_facts, offered_models
from nova_judge.aws.place import current_region
from nova_judge.check import NotRead
from nova_judge.preflight.images import RoleUse, images_of, role_uses
from nova_judge.preflight.model_check import ModelFacts
from nova_judge.preflight.rules import ENDPOINT, STACK_PARTS, TRAINING, Facts, bedrock_models
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.known_sources import asked_models, endpoint_instances, is_the_accounts
from nova_judge.sources.request_forms import EndpointFacts

AccountFact = TypeVar("AccountFact")

NOT_DEPLOYED = NotRead("the stacks of this stage are not deployed")
QUOTAS_WITHIN_S = 20.0
_NO_STACK = "ValidationError"


def read(fact: Callable[..., AccountFact | NotRead], *of: object) -> AccountFact | NotRead:
    """The fact of whatever it is about, or why AWS did not tell it."""
    try:
        return fact(*of)
    except ClientError as error:
        return NotRead(f"{error.operation_name}: {error.response['Error'].get('Code', '?')}")
    except (BotoCoreError, KeyError) as error:
        return NotRead(f"{type(error).__name__}: {error}")


def facts_of_run(
    recipe: Recipe, *, region: str, caller: str, job_role_arn: str, data_bucket: str
) -> Facts:
    """Facts that the state machine's first state needs: it runs in the deployed stack itself."""
    with ThreadPoolExecutor() as pool:
        trust = pool.submit(read, role_trust, job_role_arn)
        events = pool.submit(read, bucket_sends_events, data_bucket)
        return dataclasses.replace(
            _facts_of_recipe(recipe, region, job_role_arn),
            caller=caller,
            job_role_trust=trust.result(),
            bucket_sends_events=events.result(),
        )


def doctor_facts(stage: str, recipe: Recipe | None) -> Facts:
    """Facts for a person at a terminal, who also asks who calls and what is deployed."""
    region = current_region()
    if region is None:
        return Facts(region=None, caller=NotRead("no region is set"))
    caller = read(lambda: str(aws_clients.impatient("sts").get_caller_identity()["Arn"]))
    known = Facts(region=region, caller=caller)
    if isinstance(caller, NotRead):
        return known
    outputs = read(stack_outputs, stage)
    deployed: Mapping[str, Mapping[str, str]] = {} if isinstance(outputs, NotRead) else outputs
    versions = {part: values.get("Version", "unknown") for part, values in deployed.items()}
    role = deployed.get("Evaluation", {}).get("JudgeRoleArn")
    bucket = deployed.get("Storage", {}).get("DataBucketName")
    return dataclasses.replace(
        _facts_of_recipe(recipe, region, role) if recipe else known,
        caller=caller,
        stage=stage,
        stacks=outputs if isinstance(outputs, NotRead) else versions,
        job_role_trust=read(role_trust, role) if role else NOT_DEPLOYED,
        denied=read(denied_actions, role, bucket) if role and bucket else NOT_DEPLOYED,
        bucket_sends_events=read(bucket_sends_events, bucket) if bucket else NOT_DEPLOYED,
    )


def _facts_of_recipe(recipe: Recipe, region: str, job_role_arn: str | None) -> Facts:
    """Facts that a recipe asks for, read side by side; without a role not what that may use."""
    with ThreadPoolExecutor() as pool:
        quotas = pool.submit(read, quotas_of_account, recipe)
        models = {
            name: pool.submit(read, model_facts, aws_clients.impatient("bedrock"), name)
            for name in bedrock_models(recipe)
        }
        images = {
            name: pool.submit(read, image_facts, aws_clients.impatient("ecr"), uri)
            for name, uri in images_of(recipe, region).items()
        }
        refused = pool.submit(read, refused_uses, job_role_arn, recipe) if job_role_arn else None
        endpoints = _endpoints(recipe)
        known = {name: model.result() for name, model in models.items()}
        return Facts(
            region=region,
            caller="",
            quotas=quotas.result(),
            models=known,
            offered_models=offered(known),
            images={name: image.result() for name, image in images.items()},
            refused=refused.result() if refused else None,
            endpoints=endpoints,
            endpoint_names=_endpoint_names(endpoints),
        )


def offered(models: Mapping[str, ModelFacts | NotRead]) -> tuple[str, ...]:
    """Models to choose from, asked for only where one that is named cannot be called."""
    known = [facts for facts in models.values() if isinstance(facts, ModelFacts)]
    if all(facts.lifecycle != "ABSENT" and facts.on_demand for facts in known):
        return ()
    names = read(lambda: offered_models(aws_clients.impatient("bedrock")))
    return () if isinstance(names, NotRead) else names


def _endpoints(recipe: Recipe) -> dict[str, EndpointFacts | NotRead | None]:
    """The account's endpoints that a recipe names, with the components that it names."""
    named: dict[str, list[str]] = {}
    for spec in asked_models(recipe).values():
        if is_the_accounts(spec):
            named.setdefault(spec.model, []).extend(filter(None, (spec.component,)))
    return {
        name: read(endpoint_facts, aws_clients.impatient("sagemaker"), name, asked)
        for name, asked in sorted(named.items())
    }


def _endpoint_names(endpoints: Mapping[str, EndpointFacts | NotRead | None]) -> tuple[str, ...]:
    """Names to choose from, asked for only where one that is named is not there."""
    if all(facts is not None for facts in endpoints.values()):
        return ()
    names = read(lambda: endpoint_names(aws_clients.impatient("sagemaker")))
    return () if isinstance(names, NotRead) else names


def quotas_of_account(recipe: Recipe) -> dict[str, float] | NotRead:
    """SageMaker's quotas by name that a run may need, as Service Quotas spells them.

    Service Quotas finds by codes that are not public: it lists thousands, page by page, until all
    that are wanted were seen or the time is up.
    """
    wanted = {f"{kind} {TRAINING}" for kind in recipe.judge.instance_types} | {
        f"{kind} {ENDPOINT}"
        for kinds in endpoint_instances(asked_models(recipe).values()).values()
        for kind in kinds
    }
    quotas: dict[str, float] = {}
    deadline = time.monotonic() + QUOTAS_WITHIN_S
    pages = aws_clients.impatient("service-quotas").get_paginator("list_service_quotas")
    for page in pages.paginate(ServiceCode="sagemaker", PaginationConfig={"PageSize": 100}):
        quotas |= {q["QuotaName"]: q["Value"] for q in page["Quotas"] if q["QuotaName"] in wanted}
        if quotas.keys() == wanted:
            break
        if time.monotonic() > deadline:
            return NotRead(f"Service Quotas did not list all within {QUOTAS_WITHIN_S:g} s")
    return quotas


def role_trust(role_arn: str) -> tuple[str, ...]:
    """The services that may assume a role."""
    role = aws_clients.impatient("iam").get_role(RoleName=role_arn.rsplit("/", 1)[-1])["Role"]
    services: list[str] = []
    for statement in role["AssumeRolePolicyDocument"]["Statement"]:
        principal = statement["Principal"].get("Service", [])
        services += [principal] if isinstance(principal, str) else principal
    return tuple(sorted(services))


def denied_actions(role_arn: str, bucket: str) -> tuple[str, ...]:
    """Actions of a judge job that its role may not take, as IAM's own simulator sees it."""
    partition = role_arn.split(":")[1]
    objects = f"arn:{partition}:s3:::{bucket}/runs/any/judge/0/any"
    asked = {
        objects: ["s3:GetObject", "s3:PutObject"],
        "*": ["ecr:GetAuthorizationToken"],
    }
    return tuple(
        action
        for resource, actions in asked.items()
        for action in denied(role_arn, actions, resource)
    )


def refused_uses(role_arn: str, recipe: Recipe) -> tuple[RoleUse, ...]:
    """Things named only by the recipe that the role may not use."""
    uses = role_uses(recipe)
    return tuple(use for use in uses if denied(role_arn, [use.action], use.resource))


def denied(role_arn: str, actions: list[str], *resources: str, **context: Any) -> list[str]:  # noqa: ANN401
    """The actions that IAM's simulator denies a role on some resources."""
    answer = aws_clients.impatient("iam").simulate_principal_policy(
        PolicySourceArn=role_arn, ActionNames=actions, ResourceArns=list(resources), **context
    )
    return [
        result["EvalActionName"]
        for result in answer["EvaluationResults"]
        if result["EvalDecision"] != "allowed"
    ]


def bucket_sends_events(bucket: str) -> bool:
    """True if EventBridge hears of new objects."""
    notifications = aws_clients.impatient("s3").get_bucket_notification_configuration(Bucket=bucket)
    return "EventBridgeConfiguration" in notifications


def stack_outputs(stage: str) -> dict[str, dict[str, str]]:
    """The outputs of a stage's stacks, by part; a stack that is not deployed is left out."""
    cloudformation = aws_clients.impatient("cloudformation")
    by_part: dict[str, dict[str, str]] = {}
    for part in STACK_PARTS:
        with passing(_NO_STACK):
            stacks = cloudformation.describe_stacks(StackName=f"NovaJudge-{stage}-{part}")["Stacks"]
            outputs = stacks[0].get("Outputs", [])
            by_part[part] = {item["OutputKey"]: item["OutputValue"] for item in outputs}
    return by_part


def stack_endpoints(stage: str) -> set[str]:
    """The names of the endpoints that the stage's stack itself keeps (`always_on`)."""
    names = stack_resources(stage, "Endpoints", "AWS::SageMaker::Endpoint").values()
    return {name.rsplit("/", 1)[-1] for name in names}


def stack_resources(stage: str, part: str, kind: str) -> dict[str, str]:
    """Physical ids of a stack's resources of one type, by logical id; none without the stack."""
    pages = aws_clients.impatient("cloudformation").get_paginator("list_stack_resources")
    with passing(_NO_STACK):
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=f"NovaJudge-{stage}-{part}")
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == kind
        }
    return {}
