"""The `nova:` block of a recipe: what the container of a Nova evaluation reads, key for key."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=50_000)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
# Numbers are kept as written, so that the container reads `0`, not `0.0`.
UpToOne: TypeAlias = Annotated[int, Meta(ge=0, le=1)] | Annotated[float, Meta(ge=0, le=1)]
AtLeastZero: TypeAlias = Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a recipe: unknown keys are refused."""


class NovaRun(Section, frozen=True):
    """`run` of the container's recipe."""

    model_type: Text
    model_name_or_path: Text
    name: Annotated[str, Meta(max_length=200)] = ""
    replicas: Annotated[int, Meta(ge=1, le=16)] = 1
    data_s3_path: str = ""
    output_s3_path: str = ""
    mlflow_tracking_uri: str = ""
    mlflow_experiment_name: str = ""
    mlflow_run_name: str = ""


class NovaEvaluation(Section, frozen=True):
    """`evaluation` of the container's recipe."""

    task: Text
    strategy: Text
    metric: Text
    subtask: str | UnsetType = UNSET


class NovaInference(Section, frozen=True):
    """`inference` of the container's recipe: what is left out keeps the container's default."""

    max_new_tokens: Positive | UnsetType = UNSET
    top_k: int | UnsetType = UNSET
    top_p: UpToOne | UnsetType = UNSET
    temperature: AtLeastZero | UnsetType = UNSET
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | UnsetType = UNSET
    reasoning_effort: Literal["low", "high"] | UnsetType | None = UNSET


class Switch(Section, frozen=True):
    """`{enabled: true | false}`."""

    enabled: bool


class NovaProcessor(Section, frozen=True):
    """`processor` of the container's recipe: a scorer of your own."""

    preset_reward_function: str | UnsetType = UNSET
    lambda_arn: str | UnsetType = UNSET
    lambda_type: str | UnsetType = UNSET
    preprocessing: Switch | UnsetType = UNSET
    postprocessing: Switch | UnsetType = UNSET
    aggregation: str | UnsetType = UNSET


class NovaRlEnv(Section, frozen=True):
    """`rl_env` of the container's recipe: a reward function."""

    reward_lambda_arn: Text


class NovaBlock(Section, frozen=True):
    """The recipe as the container reads it, key for key."""

    run: NovaRun
    evaluation: NovaEvaluation
    inference: NovaInference = NovaInference()
    processor: NovaProcessor | UnsetType = UNSET
    rl_env: NovaRlEnv | UnsetType = UNSET
