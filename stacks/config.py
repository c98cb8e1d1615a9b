"""One stage of one account: everything that differs between deployments."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Literal

from nova_judge.errors import SettingsError

MOST_STAGE_LETTERS = 8
_ARNS = {
    "scorer_functions": r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?",
    "judge_image_repositories": r"arn:[\w-]+:ecr:[\w-]+:\d{12}:repository/[\w./-]+",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageConfig:
    """A stage in `cdk.json`.

    `retain_data`: buckets and tables outlive their stack. `endpoints`: `on_demand` ones exist only
    while a run needs them, `always_on` ones are kept (and paid) by the stack. `scorer_functions`
    and `judge_image_repositories`: ARNs of what judge jobs may use beside the scorers of
    `scorers/` and AWS's evaluation images.
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
    values = dict(stages[name])
    fields = {field.name: field for field in dataclasses.fields(StageConfig)}
    for key, value in values.items():
        if key not in fields or key == "name":
            allowed = ", ".join(sorted(set(fields) - {"name"}))
            raise SettingsError(f"cdk.json: stages.{name}.{key} is unknown; allowed: {allowed}")
        _check_type(name, key, value)
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return StageConfig(name=name, **values)


def _check_type(stage: str, key: str, value: object) -> None:
    expected: dict[str, tuple[type | tuple[type, ...], str]] = {
        "retain_data": (bool, "true or false"),
        "bundle_dependencies": (bool, "true or false"),
        "log_retention_days": (int, "a number of days"),
        "run_retention_days": (int, "a number of days"),
        "endpoint_models": (list, "a list of model names"),
        "scorer_functions": (list, "a list of ARNs of Lambda functions"),
        "judge_image_repositories": (list, "a list of ARNs of ECR repositories"),
        "notify_email": ((str, type(None)), "an e-mail address"),
        "endpoints": (str, '"on_demand" or "always_on"'),
    }
    kind, words = expected[key]
    wrong_word = key == "endpoints" and value not in ("on_demand", "always_on")
    wrong_arn = key in _ARNS and not (
        isinstance(value, list) and all(re.fullmatch(_ARNS[key], str(arn)) for arn in value)
    )
    wrong_kind = not isinstance(value, kind) or (kind is int and isinstance(value, bool))
    if wrong_kind or wrong_word or wrong_arn:
        raise SettingsError(f"cdk.json: stages.{stage}.{key} is {value!r}: {words} is expected")
