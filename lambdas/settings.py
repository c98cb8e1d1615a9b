"""The environment of every function as a typed record.

The stacks build these records and write them with `environment`; a handler reads them with `load`.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import TypeVar, get_type_hints

from nova_judge.errors import SettingsError

Settings = TypeVar("Settings", bound="FunctionSettings")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """Settings of every function."""

    stage: str
    data_bucket: str
    runs_table: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobSettings(FunctionSettings):
    """Settings of planning and building jobs: their role and the prefix of everything we name.

    `kms_key_arn`: the key that the output of jobs is encrypted with; "" for S3's own.
    `stand_in_*` say what answers and judges in place of the models; only local mode sets them.
    """

    job_prefix: str
    job_role_arn: str
    kms_key_arn: str = ""
    stand_in_answers: str = ""
    stand_in_judge: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EndpointSettings(FunctionSettings):
    """The EndpointConfigs that the stack made, as JSON `{model: {instance type: config name}}`.

    `endpoint_life`: `on_demand` ones come and go with leases; `always_on` ones are the stack's.
    `stand_in_keys`: the keys of model servers as JSON `{secret: key}`; only local mode sets them.
    """

    job_prefix: str
    endpoints: str
    endpoint_life: str = "on_demand"
    stand_in_keys: str = "{}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class WatchSettings(EndpointSettings):
    """The number of days that the endpoints' logs are kept; 0 is for ever."""

    log_retention_days: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchSettings(EndpointSettings):
    """As whom Bedrock's batch jobs read and write, and the key of what they write."""

    job_role_arn: str
    kms_key_arn: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FailureSettings(EndpointSettings):
    """The topic that hears of a failed run."""

    topic_arn: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResultsSettings(FunctionSettings):
    """The topic that hears of a report."""

    topic_arn: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScorerSettings(FunctionSettings):
    """The file of `scorers/` that a scorer's function runs."""

    scorer: str


def environment(settings: FunctionSettings) -> dict[str, str]:
    """The environment variables that `load` reads back; what is empty is left out."""
    values = dataclasses.asdict(settings)
    return {name.upper(): str(value) for name, value in values.items() if value != ""}


def load(kind: type[Settings], source: Mapping[str, str] | None = None) -> Settings:
    """A function's settings; raises SettingsError naming every variable that is missing."""
    values = os.environ if source is None else source
    types = get_type_hints(kind)
    optional = {f.name for f in dataclasses.fields(kind) if f.default is not dataclasses.MISSING}
    missing = [n.upper() for n in types if not values.get(n.upper()) and n not in optional]
    if missing:
        raise SettingsError(f"environment variables missing: {', '.join(missing)}")
    given = {name: values[name.upper()] for name in types if values.get(name.upper())}
    return kind(**{name: types[name](text) for name, text in given.items()})
