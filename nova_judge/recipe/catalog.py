"""Model ids, images, combinations and prices: read from the dated files in `nova_judge/data/`."""

import re
from typing import Generic, Literal, TypeVar

import msgspec

from nova_judge.errors import SettingsError
from nova_judge.folders import data_file
from nova_judge.recipe.asked_model import TokenPrice

__all__ = ["endpoint_name", "host_ami"]

Figure = TypeVar("Figure")


class Bound(msgspec.Struct, frozen=True):
    """So many rows, with so many bytes of prompts and answers, and the reason."""

    rows: int
    text_bytes: int
    why: str


class Reach(msgspec.Struct, frozen=True):
    """Bounds of a run whose judge jobs are read one by one, of one of these, of any other run."""

    measured_on: str
    in_parts: Bound
    of_a_job: Bound
    whole: Bound


class NovaServing(msgspec.Struct, frozen=True):
    """The container of customised Nova models: one registry account a region."""

    repository: str
    tag: str
    accounts: dict[str, str]


class NovaImages(NovaServing, frozen=True):
    """The evaluation container."""

    documented_regions: tuple[str, ...]


class ServingImages(msgspec.Struct, frozen=True):
    """The inference containers; `accounts` names the registry's account in every region."""

    accounts: dict[str, str]
    images: dict[str, str]


_HOST_AMIS = {
    "12": "al2-ami-sagemaker-inference-gpu-3-1",
    "13": "al2023-ami-sagemaker-inference-gpu-4-1",
}


def host_ami(image: str) -> str:
    """The `InferenceAmiVersion` that a serving image needs, from the CUDA version in its tag.

    The host's driver must be at least as new as the image's CUDA: 550 (CUDA 12.4) on gpu-3-1, 580
    (CUDA 13.0) on gpu-4-1. Otherwise the container dies before it writes a line of log.
    (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html,
    https://github.com/aws/sagemaker-python-sdk/pull/6281)
    Raises SettingsError for a tag without a CUDA version, or with one that no host is known for.

    >>> host_ami("huggingface-vllm:0.9-gpu-py312-cu124-ubuntu22.04")
    'al2-ami-sagemaker-inference-gpu-3-1'
    """
    cuda = re.search(r"-cu(\d\d)\d", image)
    if cuda is None or cuda[1] not in _HOST_AMIS:
        raise SettingsError(
            f"images.json: {image}: no host AMI is known for it. Name an image whose tag holds a "
            f"CUDA version (-cu…) that begins with one of {', '.join(_HOST_AMIS)}"
        )
    return _HOST_AMIS[cuda[1]]


class Images(msgspec.Struct, frozen=True):
    """`images.json`."""

    read_on: str
    nova_evaluation: NovaImages
    nova_inference: NovaServing
    serving: ServingImages


class EndpointModel(msgspec.Struct, frozen=True):
    """A model that the stack can serve. `instance_types` stands in the order of preference."""

    model_id: str
    serving: Literal["vllm", "tgi"]
    instance_types: tuple[str, ...]
    tensor_parallel: int
    environment: dict[str, str]
    note: str = ""


class Models(msgspec.Struct, frozen=True):
    """`models.json`."""

    read_on: str
    endpoints: dict[str, EndpointModel]


class NovaModel(msgspec.Struct, frozen=True):
    """A Nova model in an evaluation job: as the judge of `judges`, or as the model under test."""

    model_name_or_path: str
    judges: tuple[str, ...]
    instance_types: tuple[str, ...]
    image_tags: tuple[str, ...]
    reasoning_effort: bool = False
    note: str = ""


class NovaTask(msgspec.Struct, frozen=True):
    """A task other than a benchmark, with its only strategy and metric."""

    strategy: str
    metric: str


class JudgeContext(msgspec.Struct, frozen=True):
    """The number of tokens that one record of a judge's input may have."""

    value: int
    warn_from: int
    assumption: str


class Gpus(msgspec.Struct, frozen=True):
    """The GPUs of an instance type, and the memory of each in GiB."""

    gpus: int
    gib: int


class Compatibility(msgspec.Struct, frozen=True):
    """`compatibility.json`. `gpus` by the instance types that serve weights.

    `nova_inference`: by customised Nova model and instance type, the pairs of context length and
    concurrency that AWS allows, the shortest context first.
    """

    read_on: str
    models: dict[str, NovaModel]
    tasks: dict[str, NovaTask]
    judge_context_tokens: JudgeContext
    gpus: dict[str, Gpus]
    nova_inference: dict[str, dict[str, tuple[tuple[int, int], ...]]]


class InstancePrices(msgspec.Struct, frozen=True):
    """US dollars for an hour of one instance, training and hosting alike."""

    source: str
    prices: dict[str, float]


class BedrockPrices(msgspec.Struct, frozen=True):
    """Prices by model id; batch inference costs `batch_factor` of them."""

    source: str
    prices: dict[str, TokenPrice]
    batch_factor: float


class UnitPrice(msgspec.Struct, frozen=True):
    """US dollars for one unit."""

    source: str
    price: float


class Prices(msgspec.Struct, frozen=True):
    """`prices.json`."""

    read_on: str
    currency: str
    region: str
    note: str
    instance_hour: InstancePrices
    bedrock_million_tokens: BedrockPrices
    step_functions_transition: UnitPrice
    lambda_gb_second: UnitPrice


class Supposed(msgspec.Struct, Generic[Figure], frozen=True):
    """An assumed figure, or one for each model, task or part, and why it is assumed."""

    value: Figure
    why: str


class Assumptions(msgspec.Struct, frozen=True):
    """`assumptions.json`."""

    written_on: str
    note: str
    characters_per_token: Supposed[float]
    answer_share: Supposed[float]
    endpoint_start_minutes: Supposed[float]
    endpoint_tokens_per_second: Supposed[dict[str, float]]
    bedrock_rows_per_second: Supposed[float]
    judge_start_minutes: Supposed[float]
    judge_rows_per_second: Supposed[dict[str, float]]
    benchmark_questions: Supposed[dict[str, float]]
    evaluator_tokens_per_score: Supposed[dict[str, float]]
    asked_judge_tokens: Supposed[dict[str, float]]
    lambda_gb_seconds_per_row: Supposed[float]
    transitions_per_run: Supposed[float]
    transitions_per_shard: Supposed[float]


images = data_file("images.json", Images)
"""Registry accounts and image tags."""
models = data_file("models.json", Models)
"""The models that a candidate's `endpoint` may name."""
compatibility = data_file("compatibility.json", Compatibility)
"""The models, tasks, instances and images that go together."""
prices = data_file("prices.json", Prices)
"""AWS's prices, as far as a run needs them."""
assumptions = data_file("assumptions.json", Assumptions)
"""The assumptions of an estimate where no price list speaks."""
reach = data_file("reach.json", Reach)
"""How large one run may be."""


def endpoint_name(prefix: str, model: str) -> str:
    """The one endpoint of a model in a stage; at most 63 characters.

    >>> endpoint_name("nova-judge-dev", "qwen2.5-1.5b-instruct")
    'nova-judge-dev-qwen2-5-1-5b-instruct'
    """
    return f"{prefix}-{model}".replace(".", "-")[:63]
