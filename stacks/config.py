"""One stage of one account: everything that differs between deployments."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from nova_judge.errors import SettingsError
from nova_judge.partitions import partition_of
from nova_judge.recipe import catalog

MOST_STAGE_LETTERS = 8
BEDROCK_LESS = ("aws-cn", "aws-iso-e")
"""Partitions without Amazon Bedrock and without Nova's evaluation image: nothing judges there.
Source: the regions of Bedrock that botocore knows."""


class Vpc(NamedTuple):
    """The subnets and security groups, by id, that functions, jobs and models run in."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageConfig:
    """A stage in `cdk.json`.

    `retain_data`: buckets and tables outlive their stack. `endpoints`: `on_demand` ones exist only
    while a run needs them, `always_on` ones are kept (and paid) by the stack; with no
    `endpoint_models` no stack of endpoints is made. `scorer_functions` and
    `judge_image_repositories`: ARNs of what judge jobs may use beside the scorers of `scorers/` and
    AWS's evaluation images. `vpc`: where functions, jobs and models run. `kms_key`: the ARN of the
    key that encrypts bucket, table, topic and the output of jobs.
    """

    name: str
    retain_data: bool = False
    log_retention_days: int = 30
    run_retention_days: int = 365
    endpoints: Literal["on_demand", "always_on"] = "on_demand"
    endpoint_models: tuple[str, ...] = ("qwen2.5-1.5b-instruct", "qwen2.5-7b-instruct")
    notify_email: str | None = None
    scorer_functions: tuple[str, ...] = ()
    judge_image_repositories: tuple[str, ...] = ()
    vpc: Vpc | None = None
    kms_key: str | None = None
    bundle_dependencies: bool = True

    @property
    def prefix(self) -> str:
        """Begins every name that we give in this account, so that two stages live side by side."""
        return f"nova-judge-{self.name}"

    @property
    def machine_name(self) -> str:
        """The state machine's name, by which its role speaks of itself."""
        return f"{self.prefix}-evaluation"


def stage_config(name: str, stages: Mapping[str, Mapping[str, Any]]) -> StageConfig:
    """The stage of that name. Raises SettingsError that names the key and what is allowed."""
    if name not in stages:
        raise SettingsError(f"cdk.json: stage {name!r} is not among {', '.join(sorted(stages))}")
    if not re.fullmatch(rf"[a-z][a-z0-9]{{0,{MOST_STAGE_LETTERS - 1}}}", name):
        raise SettingsError(
            f"cdk.json: stage {name!r} must be 1-{MOST_STAGE_LETTERS} lower-case letters or "
            "digits, because it is part of the names of jobs and endpoints"
        )
    given = dict(stages[name])
    fields = {field.name for field in dataclasses.fields(StageConfig)} - {"name"}
    for key, value in given.items():
        if key not in fields:
            allowed = ", ".join(sorted(fields))
            raise SettingsError(f"cdk.json: stages.{name}.{key} is unknown; allowed: {allowed}")
        fits, words = _EXPECTED[key]
        if not fits(value):
            raise SettingsError(f"cdk.json: stages.{name}.{key} is {value!r}: {words} is expected")
    return StageConfig(name=name, **{key: _frozen(key, value) for key, value in given.items()})


def check_offered(config: StageConfig, region: str) -> None:
    """Raise SettingsError where AWS lacks in this region what the stage cannot do without."""
    partition = partition_of(region).name
    if partition in BEDROCK_LESS:
        raise SettingsError(
            f"{region} lies in the partition {partition}, where AWS offers neither Amazon Bedrock "
            "nor Nova's evaluation image: no judge can run there. Deploy in a region of another "
            "partition"
        )
    if config.endpoint_models and region not in catalog.images().serving.accounts:
        raise SettingsError(
            f"{region}: no registry of AWS's serving images is known there, so that no endpoint "
            f"can be made. Set stages.{config.name}.endpoint_models to [] in cdk.json: ready pairs "
            "and Bedrock's models need no endpoint"
        )


def _frozen(key: str, value: Any) -> Any:  # noqa: ANN401 - a setting of any type
    if key == "vpc":
        return Vpc(tuple(value["subnets"]), tuple(value["security_groups"]))
    return tuple(value) if isinstance(value, list) else value


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_days(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _texts(pattern: str) -> Callable[[object], bool]:
    """Make the check that a value is a list of texts of this form."""
    return lambda value: (
        isinstance(value, list)
        and all(isinstance(text, str) and re.fullmatch(pattern, text) for text in value)
    )


def _are_models(value: object) -> bool:
    offered = catalog.models().endpoints
    return isinstance(value, list) and all(isinstance(m, str) and m in offered for m in value)


def _is_vpc(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != {"subnets", "security_groups"}:
        return False
    subnets, groups = value["subnets"], value["security_groups"]
    both = _texts(r"subnet-[0-9a-f]{8,17}")(subnets) and _texts(r"sg-[0-9a-f]{8,17}")(groups)
    # What CreateTrainingJob takes.
    return both and 1 <= len(subnets) <= 16 and 1 <= len(groups) <= 5


_EXPECTED: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "retain_data": (_is_flag, "true or false"),
    "bundle_dependencies": (_is_flag, "true or false"),
    "log_retention_days": (_is_days, "a number of days"),
    "run_retention_days": (_is_days, "a number of days"),
    "endpoint_models": (
        _are_models,
        f"a list of models out of {', '.join(catalog.models().endpoints)}",
    ),
    "scorer_functions": (
        _texts(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?"),
        "a list of ARNs of Lambda functions",
    ),
    "judge_image_repositories": (
        _texts(r"arn:[\w-]+:ecr:[\w-]+:\d{12}:repository/[\w./-]+"),
        "a list of ARNs of ECR repositories",
    ),
    "notify_email": (
        lambda value: value is None or isinstance(value, str),
        "an e-mail address",
    ),
    "endpoints": (
        lambda value: value in ("on_demand", "always_on"),
        '"on_demand" or "always_on"',
    ),
    "vpc": (
        _is_vpc,
        '{"subnets": ["subnet-…"], "security_groups": ["sg-…"]} with 1 to 16 subnets and 1 to 5 '
        "groups",
    ),
    "kms_key": (
        lambda value: (
            isinstance(value, str)
            and re.fullmatch(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+", value) is not None
        ),
        "the ARN of a KMS key (…:key/…, not of an alias)",
    ),
}
