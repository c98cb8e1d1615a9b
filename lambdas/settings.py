"""The environment of every function as a typed record.

The stacks build these records and write them with `environment`; a handler reads them with `load`.
"""

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from nova_judge.errors import SettingsError
from nova_judge.recipe.shape import read_record

Settings = TypeVar("Settings", bound="FunctionSettings")


class FunctionSettings(msgspec.Struct, frozen=True, kw_only=True, rename="upper"):
    """Settings of every function."""

    stage: str
    data_bucket: str
    runs_table: str


class JobSettings(FunctionSettings, frozen=True, kw_only=True, rename="upper"):
    """Settings of planning and building jobs: their role and the prefix of everything we name.

    `kms_key_arn`: the key that the output of jobs is encrypted with; "" for S3's own.
    `candidate_endpoints`: names of the account's endpoints that may be asked; `weights`,
    `model_packages`, `training_jobs`: what may be served; all with commas.
    `stand_in_*` say what answers and judges in place of the models, but for those that answer
    themselves, and whether any model of a recipe counts as one that the stage serves; only local
    mode sets them.
    """

    job_prefix: str
    job_role_arn: str
    kms_key_arn: str = ""
    candidate_endpoints: str = ""
    weights: str = ""
    model_packages: str = ""
    training_jobs: str = ""
    stand_in_answers: str = ""
    stand_in_absent_for: str = ""
    stand_in_keys: str = ""
    stand_in_judge: str = ""
    stand_in_models: str = ""


class BuildSettings(JobSettings, frozen=True, kw_only=True, rename="upper"):
    """Settings of building jobs. `most_rows_at_once`: rows whose files one function writes by
    itself; 0, as the stacks leave it, for as many as were measured.
    """

    most_rows_at_once: int = 0


class EndpointSettings(FunctionSettings, frozen=True, kw_only=True, rename="upper"):
    """The EndpointConfigs that the stack made, as JSON `{model: {instance type: config name}}`.

    `endpoint_life`: `on_demand` ones come and go with leases; `always_on` ones are the stack's.
    `weights_role_arn`: as whom own weights are served, in the subnets and security groups that are
    named with commas; "" where the stage allows none.
    `stand_in_models`: nothing is copied, because others answer. `stand_in_keys`: the keys of model
    servers as JSON `{secret: key}`, `stand_in_kept`: the file of
    answers that are kept; only local mode sets them.
    """

    job_prefix: str
    endpoints: str
    endpoint_life: str = "on_demand"
    weights_role_arn: str = ""
    weights_subnets: str = ""
    weights_security_groups: str = ""
    stand_in_models: str = ""
    stand_in_keys: str = ""
    stand_in_kept: str = ""


class WatchSettings(EndpointSettings, frozen=True, kw_only=True, rename="upper"):
    """The number of days that the endpoints' logs are kept; 0 is for ever."""

    log_retention_days: int


class BatchSettings(EndpointSettings, frozen=True, kw_only=True, rename="upper"):
    """As whom Bedrock's batch jobs read and write, and the key of what they write."""

    job_role_arn: str
    kms_key_arn: str = ""


class FailureSettings(EndpointSettings, frozen=True, kw_only=True, rename="upper"):
    """The topic that hears of a failed run."""

    topic_arn: str


class ResultsSettings(FunctionSettings, frozen=True, kw_only=True, rename="upper"):
    """The topic that hears of a report."""

    topic_arn: str


class TriggerSettings(FunctionSettings, frozen=True, kw_only=True, rename="upper"):
    """What the runs of triggers decide, as JSON `{trigger: recipe.trigger.Decision}`."""

    decisions: str


class ScorerSettings(FunctionSettings, frozen=True, kw_only=True, rename="upper"):
    """The file of `scorers/` that a scorer's function runs."""

    scorer: str


def environment(settings: FunctionSettings) -> dict[str, str]:
    """The environment variables that `load` reads back; what is empty is left out."""
    values = msgspec.to_builtins(settings)
    return {name: str(value) for name, value in values.items() if value != ""}


def load(kind: type[Settings], source: Mapping[str, str] | None = None) -> Settings:
    """A function's settings; raises SettingsError naming every variable that is missing."""
    values = os.environ if source is None else source
    names = (field.encode_name for field in msgspec.structs.fields(kind))
    given = {name: values[name] for name in names if values.get(name)}
    return read_record(given, kind, file="environment", error=SettingsError, strict=False)
