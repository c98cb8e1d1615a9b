"""Reads what the pre-flight checks need to know of an account; what cannot be read says why."""

import functools
import json
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from nova_judge.aws.described_endpoints import endpoint_facts, endpoint_names
from nova_judge.aws.models import model_facts, offered_models
from nova_judge.aws.place import current_region
from nova_judge.aws.registries import image_facts
from nova_judge.check import NotRead
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.preflight.images import ImageFacts, images_of
from nova_judge.preflight.model_check import ModelFacts
from nova_judge.preflight.role_uses import RoleUse, role_uses
from nova_judge.preflight.rules import STACK_PARTS, Facts
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.endpoint import is_the_accounts
from nova_judge.sources.endpoint_facts import EndpointFacts
from nova_judge.sources.recipe_endpoints import asked_models, endpoint_instances

AccountFact = TypeVar("AccountFact")

NOT_DEPLOYED = NotRead("the stacks of this stage are not deployed")
IMPATIENT = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})
QUOTAS_WITHIN_S = 20.0
TRAINING, ENDPOINT = " for training job usage", " for endpoint usage"


def read(fact: Callable[[], AccountFact | NotRead]) -> AccountFact | NotRead:
    """The fact, or why AWS did not tell it."""
    try:
        return fact()
    except ClientError as error:
        return NotRead(f"{error.operation_name}: {error.response['Error'].get('Code', '?')}")
    except (BotoCoreError, KeyError) as error:
        return NotRead(f"{type(error).__name__}: {error}")


def facts_of_run(
    recipe: Recipe, *, region: str, caller: str, job_role_arn: str, data_bucket: str
) -> Facts:
    """Facts that the state machine's first state needs: it runs in the deployed stack itself."""
    with ThreadPoolExecutor() as pool:
        quotas = pool.submit(read, functools.partial(quotas_of_account, recipe))
        models = {name: pool.submit(read, _model(name)) for name in _bedrock_models(recipe)}
        uris = images_of(recipe, region)
        images = {name: pool.submit(read, _image(uri)) for name, uri in uris.items()}
        trust = pool.submit(read, functools.partial(role_trust, job_role_arn))
        refused = pool.submit(read, functools.partial(refused_uses, job_role_arn, recipe))
        events = pool.submit(read, functools.partial(bucket_sends_events, data_bucket))
        training, endpoint = _split(quotas.result())
        endpoints = _endpoints(recipe)
        known = {name: model.result() for name, model in models.items()}
        return Facts(
            region=region,
            caller=caller,
            training_quota=training,
            endpoint_quota=endpoint,
            models=known,
            offered_models=offered(known),
            images={name: image.result() for name, image in images.items()},
            job_role_trust=trust.result(),
            refused=refused.result(),
            bucket_sends_events=events.result(),
            endpoints=endpoints,
            endpoint_names=_endpoint_names(endpoints),
        )


def doctor_facts(stage: str, recipe: Recipe | None) -> Facts:
    """Facts for a person at a terminal, who also asks who calls and what is deployed."""
    region = current_region()
    if region is None:
        return Facts(region=None, caller=NotRead("no region is set"))
    caller = read(lambda: str(_client("sts").get_caller_identity()["Arn"]))
    if isinstance(caller, NotRead):
        return Facts(region=region, caller=caller)
    outputs = read(functools.partial(stack_outputs, stage))
    deployed: Mapping[str, Mapping[str, str]] = {} if isinstance(outputs, NotRead) else outputs
    role = deployed.get("Evaluation", {}).get("JudgeRoleArn")
    bucket = deployed.get("Storage", {}).get("DataBucketName")
    training, endpoint = _split(read(lambda: quotas_of_account(recipe))) if recipe else (None, None)
    uris = images_of(recipe, region) if recipe else {}
    endpoints = _endpoints(recipe) if recipe else {}
    models = {name: read(_model(name)) for name in _bedrock_models(recipe)} if recipe else {}
    return Facts(
        region=region,
        caller=caller,
        stage=stage,
        stacks=outputs if isinstance(outputs, NotRead) else _versions(outputs),
        training_quota=training,
        endpoint_quota=endpoint,
        models=models,
        offered_models=offered(models),
        images={name: read(_image(uri)) for name, uri in uris.items()},
        endpoints=endpoints,
        endpoint_names=_endpoint_names(endpoints),
        job_role_trust=read(lambda: role_trust(role)) if role else NOT_DEPLOYED,
        denied=read(lambda: denied_actions(role, bucket)) if role and bucket else NOT_DEPLOYED,
        refused=read(lambda: refused_uses(role, recipe)) if role and recipe else None,
        bucket_sends_events=read(lambda: bucket_sends_events(bucket)) if bucket else NOT_DEPLOYED,
    )


def offered(models: Mapping[str, ModelFacts | NotRead]) -> tuple[str, ...]:
    """Models to choose from, asked for only where one that is named cannot be called."""
    known = [facts for facts in models.values() if isinstance(facts, ModelFacts)]
    if all(facts.lifecycle != "ABSENT" and facts.on_demand for facts in known):
        return ()
    names = read(lambda: offered_models(_client("bedrock")))
    return () if isinstance(names, NotRead) else names


def _endpoints(recipe: Recipe) -> dict[str, EndpointFacts | NotRead | None]:
    """The account's endpoints that a recipe names, with the components that it names."""
    named: dict[str, list[str]] = {}
    for spec in asked_models(recipe).values():
        if is_the_accounts(spec):
            named.setdefault(spec.model, []).extend(filter(None, (spec.component,)))
    return {name: read(_endpoint(name, asked)) for name, asked in sorted(named.items())}


def _endpoint(name: str, asked: list[str]) -> Callable[[], EndpointFacts | None]:
    return lambda: endpoint_facts(_client("sagemaker"), name, asked)


def _endpoint_names(endpoints: Mapping[str, EndpointFacts | NotRead | None]) -> tuple[str, ...]:
    """Names to choose from, asked for only where one that is named is not there."""
    if all(facts is not None for facts in endpoints.values()):
        return ()
    names = read(lambda: endpoint_names(_client("sagemaker")))
    return () if isinstance(names, NotRead) else names


def quotas_of_account(recipe: Recipe) -> dict[str, float] | NotRead:
    """SageMaker's quotas by name that a run may need, as Service Quotas spells them.

    Service Quotas finds by codes that are not public: it lists thousands, page by page, until all
    that are wanted were seen or the time is up.
    """
    wanted = {f"{kind}{TRAINING}" for kind in recipe.judge.instance_types} | {
        f"{kind}{ENDPOINT}"
        for kinds in endpoint_instances(asked_models(recipe).values()).values()
        for kind in kinds
    }
    quotas: dict[str, float] = {}
    deadline = time.monotonic() + QUOTAS_WITHIN_S
    pages = _client("service-quotas").get_paginator("list_service_quotas")
    for page in pages.paginate(ServiceCode="sagemaker", PaginationConfig={"PageSize": 100}):
        quotas |= {q["QuotaName"]: q["Value"] for q in page["Quotas"] if q["QuotaName"] in wanted}
        if quotas.keys() == wanted:
            break
        if time.monotonic() > deadline:
            return NotRead(f"Service Quotas did not list all within {QUOTAS_WITHIN_S:g} s")
    return quotas


def role_trust(role_arn: str) -> tuple[str, ...]:
    """The services that may assume a role."""
    role = _client("iam").get_role(RoleName=role_arn.rsplit("/", 1)[-1])["Role"]
    document: Any = role["AssumeRolePolicyDocument"]
    policy = json.loads(document) if isinstance(document, str) else document
    services: list[str] = []
    for statement in policy["Statement"]:
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
        denied
        for resource, actions in asked.items()
        for denied in _denied(role_arn, actions, resource)
    )


def refused_uses(role_arn: str, recipe: Recipe) -> tuple[RoleUse, ...]:
    """Things named only by the recipe that the role may not use."""
    uses = role_uses(recipe)
    return tuple(use for use in uses if _denied(role_arn, [use.action], use.resource))


def _denied(role_arn: str, actions: list[str], resource: str) -> list[str]:
    answer = _client("iam").simulate_principal_policy(
        PolicySourceArn=role_arn, ActionNames=actions, ResourceArns=[resource]
    )
    return [
        result["EvalActionName"]
        for result in answer["EvaluationResults"]
        if result["EvalDecision"] != "allowed"
    ]


def bucket_sends_events(bucket: str) -> bool:
    """True if EventBridge hears of new objects."""
    notifications = _client("s3").get_bucket_notification_configuration(Bucket=bucket)
    return "EventBridgeConfiguration" in notifications


def stack_outputs(stage: str) -> dict[str, dict[str, str]]:
    """The outputs of a stage's stacks, by part; a stack that is not deployed is left out."""
    cloudformation = _client("cloudformation")
    by_part: dict[str, dict[str, str]] = {}
    for part in STACK_PARTS:
        try:
            stacks = cloudformation.describe_stacks(StackName=f"NovaJudge-{stage}-{part}")["Stacks"]
        except ClientError as error:
            if error.response["Error"].get("Code") == "ValidationError":
                continue
            raise
        outputs = stacks[0].get("Outputs", [])
        by_part[part] = {item["OutputKey"]: item["OutputValue"] for item in outputs}
    return by_part


def stack_endpoints(stage: str) -> set[str]:
    """The names of the endpoints that the stage's stack itself keeps (`always_on`)."""
    names = stack_resources(stage, "Endpoints", "AWS::SageMaker::Endpoint").values()
    return {name.rsplit("/", 1)[-1] for name in names}


def stack_resources(stage: str, part: str, kind: str) -> dict[str, str]:
    """Physical ids of a stack's resources of one type, by logical id; none without the stack."""
    pages = _client("cloudformation").get_paginator("list_stack_resources")
    try:
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=f"NovaJudge-{stage}-{part}")
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == kind
        }
    except ClientError as error:
        if error.response["Error"].get("Code") == "ValidationError":
            return {}
        raise


def _versions(outputs: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {part: values.get("Version", "unknown") for part, values in outputs.items()}


def _bedrock_models(recipe: Recipe) -> set[str]:
    asked = {model.bedrock for model in asked_models(recipe).values() if model.bedrock}
    return asked | kind_of(recipe.kind).judged_by(recipe).bedrock


def _model(name: str) -> Callable[[], ModelFacts | NotRead]:
    return lambda: model_facts(_client("bedrock"), name)


def _image(uri: str) -> Callable[[], ImageFacts]:
    return lambda: image_facts(_client("ecr"), uri)


def _split(
    quotas: Mapping[str, float] | NotRead,
) -> tuple[Mapping[str, float] | NotRead, Mapping[str, float] | NotRead]:
    """Quotas of training jobs and of endpoints, by instance type."""
    if isinstance(quotas, NotRead):
        return quotas, quotas
    return (
        _by_instance(quotas.items(), TRAINING),
        _by_instance(quotas.items(), ENDPOINT),
    )


def _by_instance(quotas: Iterable[tuple[str, float]], usage: str) -> dict[str, float]:
    return {name.removesuffix(usage): value for name, value in quotas if name.endswith(usage)}


def _client(service: str) -> Any:  # noqa: ANN401 - one typed client a service: six stubs for six calls
    make: Any = boto3.client
    return make(service, config=IMPATIENT)
