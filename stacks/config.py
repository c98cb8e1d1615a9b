"""One stage of one account: everything that differs between deployments."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from nova_judge.errors import SettingsError
from nova_judge.partitions import partition_of
from nova_judge.recipe import catalog
from nova_judge.recipe.shape import did_you_mean, not_one_of, read_record
from stacks.trigger_config import MOST_CHARACTERS, StageTrigger, trigger_problems

MOST_STAGE_LETTERS = 8
BEDROCK_LESS = ("aws-cn", "aws-iso-e")
"""Partitions without Amazon Bedrock and without Nova's evaluation image: nothing judges there.
Source: the regions of Bedrock that botocore knows."""


_FUNCTION = r"^arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?\Z"
_REPOSITORY = r"^arn:[\w-]+:ecr:[\w-]+:\d{12}:repository/[\w./-]+\Z"
_PACKAGE = r"^arn:[\w-]+:sagemaker:[\w-]+:\d{12}:model-package/[a-zA-Z0-9][\w/-]*\*?\Z"
_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}\*?\Z"

_KeyArn: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+\Z",
        description="the ARN of a KMS key (…:key/…, not of an alias)",
    ),
]
_FunctionArns: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=_FUNCTION)], ...],
    Meta(description="a list of ARNs of Lambda functions"),
]
_RepositoryArns: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=_REPOSITORY)], ...],
    Meta(description="a list of ARNs of ECR repositories"),
]
_EndpointNames: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=_NAME)], ...],
    Meta(description="a list of names of endpoints and components, or of beginnings with a *"),
]
_Weights: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^(hub|s3://[a-z0-9.-]{3,63}/([\w!.*'() /-]+/)?)\Z")], ...],
    Meta(description='a list of folders such as s3://bucket/checkpoints/, and "hub"'),
]
_PackageArns: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=_PACKAGE)], ...],
    Meta(description="a list of ARNs such as arn:…:model-package/GROUP/*"),
]
_JobNames: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=_NAME)], ...],
    Meta(description="a list of names of training jobs, or of beginnings with a *"),
]
_Emails: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+\Z")], ...],
    Meta(description="a list of e-mail addresses"),
]


class Vpc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The subnets and security groups, by id, that functions, jobs and models run in.

    As many of them as CreateTrainingJob takes.
    """

    subnets: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^subnet-[0-9a-f]{8,17}\Z")], ...],
        Meta(min_length=1, max_length=16),
    ]
    security_groups: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^sg-[0-9a-f]{8,17}\Z")], ...],
        Meta(min_length=1, max_length=5),
    ]


_Vpc: TypeAlias = Annotated[
    Vpc,
    Meta(
        description='{"subnets": ["subnet-…"], "security_groups": ["sg-…"]} with 1 to 16 subnets '
        "and 1 to 5 groups"
    ),
]


class StageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stage in `cdk.json`.

    `retain_data`: buckets and tables outlive their stack. `endpoints`: `on_demand` ones exist only
    while a run needs them, `always_on` ones are kept (and paid) by the stack; with no
    `endpoint_models` no stack of endpoints is made. `scorer_functions` and
    `judge_image_repositories`: ARNs of what judge jobs may use beside the scorers of `scorers/` and
    AWS's evaluation images. `candidate_endpoints`: names of the account's endpoints, and of
    inference components on them, that recipes may name; `*` stands for any ending.
    `weights`: what recipes may have served: folders in S3, and `hub` for models of the Hugging Face
    Hub. `model_packages` and `training_jobs`: whose models recipes may have served, from folders
    among `weights`; `serving_image_repositories`: ARNs of what such packages run beside AWS's
    images. `triggers`: what starts recipes by itself, by name. `vpc`: where functions, jobs and
    models run. `kms_key`: the ARN of the key that
    encrypts bucket, table, topic and the output of jobs. `notify_emails`: who hears of reports,
    failures and alarms.
    `alarm_run_hours` and `alarm_usd_per_day`: a run that takes longer, and estimates of a day's
    runs that sum up to more, raise an alarm.
    """

    name: str
    retain_data: bool = False
    log_retention_days: int = 30
    run_retention_days: int = 365
    endpoints: Literal["on_demand", "always_on"] = "on_demand"
    endpoint_models: tuple[str, ...] = ("qwen2.5-1.5b-instruct", "qwen2.5-7b-instruct")
    notify_emails: _Emails = ()
    dashboard: bool = True
    alarm_run_hours: Annotated[float, Meta(gt=0)] = 24.0
    alarm_usd_per_day: Annotated[float, Meta(gt=0)] = 200.0
    scorer_functions: _FunctionArns = ()
    judge_image_repositories: _RepositoryArns = ()
    candidate_endpoints: _EndpointNames = ()
    weights: _Weights = ()
    triggers: dict[str, StageTrigger] = {}
    model_packages: _PackageArns = ()
    training_jobs: _JobNames = ()
    serving_image_repositories: _RepositoryArns = ()
    vpc: _Vpc | None = None
    kms_key: _KeyArn | None = None
    bundle_dependencies: bool = True

    @property
    def prefix(self) -> str:
        """Begins every name that we give in this account, so that two stages live side by side."""
        return f"nova-judge-{self.name}"

    @property
    def serves(self) -> bool:
        """True where recipes may have models of their own served."""
        return bool(self.weights or self.model_packages or self.training_jobs)

    @property
    def named(self) -> tuple[str, ...]:
        """All that recipes may have asked or served, as the planning function is given it."""
        served = (*self.weights, *self.model_packages, *self.training_jobs)
        return (*self.candidate_endpoints, *served)

    @property
    def machine_name(self) -> str:
        """The state machine's name, by which its role speaks of itself."""
        return f"{self.prefix}-evaluation"


def stage_config(name: str, stages: Mapping[str, Mapping[str, Any]]) -> StageConfig:
    """The stage of that name. Raises SettingsError that names the key and what is allowed."""
    if name not in stages:
        raise SettingsError(
            f"cdk.json: stage {name!r} is not among "
            f"{', '.join(sorted(stages))}{did_you_mean(name, stages)}"
        )
    if not re.fullmatch(rf"[a-z][a-z0-9]{{0,{MOST_STAGE_LETTERS - 1}}}", name):
        raise SettingsError(
            f"cdk.json: stage {name!r} must be 1-{MOST_STAGE_LETTERS} lower-case letters or "
            "digits, because it is part of the names of jobs and endpoints"
        )
    where = f"cdk.json: stages.{name}"
    if "name" in stages[name]:
        raise SettingsError(f"{where}: name: unknown key; a stage is named by its own key")
    document = {**stages[name], "name": name}
    config = read_record(document, StageConfig, file=where, error=SettingsError)
    if config.serves and config.endpoints == "always_on":
        raise SettingsError(
            f"{where}: models of recipes are served on demand: leave `endpoints` out, or "
            "`weights`, `model_packages` and `training_jobs`"
        )
    if (length := len(",".join(config.named))) > MOST_CHARACTERS:
        raise SettingsError(
            f"{where}: candidate_endpoints, weights, model_packages and training_jobs take "
            f"{length:,} characters together, the environment of a function {MOST_CHARACTERS:,}: "
            "name folders above these, or beginnings with a *"
        )
    if problems := [f"{where}: triggers.{each}" for each in trigger_problems(config.triggers)]:
        raise SettingsError("\n".join(problems))
    offered = catalog.models().endpoints
    for model in config.endpoint_models:
        if model not in offered:
            raise SettingsError(f"{where}: {not_one_of('endpoint_models', model, offered)}")
    return config


def check_offered(config: StageConfig, region: str) -> None:
    """Raise SettingsError where AWS lacks in this region what the stage cannot do without."""
    partition = partition_of(region).name
    if partition in BEDROCK_LESS:
        raise SettingsError(
            f"{region} lies in the partition {partition}, where AWS offers neither Amazon Bedrock "
            "nor Nova's evaluation image: no judge can run there. Deploy in a region of another "
            "partition"
        )
    serves = config.endpoint_models or config.serves
    if serves and region not in catalog.images().serving.accounts:
        raise SettingsError(
            f"{region}: no registry of AWS's serving images is known there, and no endpoint "
            f"can be made. Set stages.{config.name}.endpoint_models to [] in cdk.json, and leave "
            "weights, model_packages and training_jobs out: ready pairs and Bedrock's models need "
            "no endpoint"
        )
