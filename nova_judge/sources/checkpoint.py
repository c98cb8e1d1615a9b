"""A checkpoint as its folder shows it, the instance types that hold it, and the model packages and
training jobs that lead to one, as SageMaker describes them.

The rule of thumb, weights and a fifth, is that of the SageMaker Python SDK
(utils/hardware_detector.py); the cache is counted as in
https://docs.djl.ai (LMI, instance type selection).
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from nova_judge.recipe import catalog
from nova_judge.sources.served import USUAL_CONTEXT

MOST_PROPOSED: Final = 3
MARGIN: Final = 1.2
SHARE: Final = 0.9
"""The part of a GPU's memory that vLLM takes, where nobody says otherwise."""
_CACHE_BYTES: Final = 2
_WEIGHTS: Final = (".safetensors", ".bin", ".pt", ".pth")


class FolderFile(NamedTuple):
    """A file by its name below the checkpoint's folder; `mark` is another one for other bytes."""

    name: str
    size: int
    mark: str = ""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a `config.json` says of a model's size and type, as far as it does."""

    num_attention_heads: int = 0
    num_key_value_heads: int = 0
    num_hidden_layers: int = 0
    hidden_size: int = 0
    head_dim: int | None = None
    max_position_embeddings: int = 0
    torch_dtype: str | None = None
    dtype: str | None = None


class AdapterShape(msgspec.Struct, frozen=True):
    """What an `adapter_config.json` says: the adapter's rank and its base."""

    r: int = 0
    base_model_name_or_path: str | None = None


class Checkpoint(NamedTuple):
    """A folder with weights: their bytes, shape and mark; `adapter` for one without a base.

    `problem`: why no server could load it.
    """

    weight_bytes: int = 0
    shape: Shape = Shape()
    version: str = ""
    adapter: AdapterShape | None = None
    problem: str = ""

    @property
    def loaded_bytes(self) -> int:
        """Bytes on the GPU: servers load weights of 32 bits as 16."""
        wide = (self.shape.dtype or self.shape.torch_dtype) == "float32"
        return self.weight_bytes // 2 if wide else self.weight_bytes

    def context(self, wanted: int | None) -> int:
        """Tokens of a prompt and its answer that the server takes."""
        most = self.shape.max_position_embeddings
        return min(wanted or USUAL_CONTEXT, most) if most else wanted or USUAL_CONTEXT

    def needed_bytes(self, context: int) -> int:
        """Memory for weights, work and the cache of one longest conversation."""
        shape = self.shape
        keys = shape.num_key_value_heads or shape.num_attention_heads
        width = shape.head_dim or shape.hidden_size // max(1, shape.num_attention_heads)
        cache = 2 * _CACHE_BYTES * shape.num_hidden_layers * keys * width * context
        return round(self.loaded_bytes * MARGIN) + cache


def weight_bytes(files: Iterable[FolderFile], total_size: int | None) -> int:
    """Bytes of the weights: what the index says, else the files of the first form that is there."""
    if total_size:
        return total_size
    given = list(files)
    for suffix in _WEIGHTS:
        if size := sum(file.size for file in given if file.name.endswith(suffix)):
            return size
    return 0


def fitting(
    checkpoint: Checkpoint, degrees: dict[str, int], context: int
) -> tuple[tuple[str, ...], str]:
    """The types among `degrees` (type → GPUs that share the weights) that hold a checkpoint.

    The cheapest first, those without a known price last; and the words that say why.
    """
    needed = checkpoint.needed_bytes(context)
    gpus = catalog.compatibility().gpus
    holding = [
        kind for kind, n in degrees.items() if n * gpus[kind].gib * SHARE * 1024**3 >= needed
    ]
    words = (
        f"{checkpoint.weight_bytes / 1e9:,.1f} GB of weights need {needed / 1024**3:,.1f} GiB of "
        f"GPU memory with {context:,} tokens of context"
    )
    return cheapest_first(holding), words


def cheapest_first(kinds: Iterable[str]) -> tuple[str, ...]:
    """Instance types by the price list; those that it lacks stand last, in their order."""
    prices = catalog.prices().instance_hour.prices
    return tuple(sorted(kinds, key=lambda kind: prices.get(kind, float("inf"))))


_SIZES: Final = {
    "lite-v2": re.compile(r"lite-v2|lite-2|2-lite"),
    "micro": re.compile(r"\bmicro\b"),
    "lite": re.compile(r"\blite\b"),
    "pro": re.compile(r"\bpro\b"),
}


class PackageFacts(NamedTuple):
    """A version in the registry; `version` changes with what it would serve.

    `restricted`: the service holds the weights, and nobody reads them. `data`: the folder (with a /
    at its end) or archive in S3. `base`: the model of the hub that it customises.
    """

    status: str
    approval: str | None = None
    restricted: bool = False
    containers: int = 1
    image: str = ""
    data: str = ""
    variables: dict[str, str] = {}  # noqa: RUF012 - a default that nobody changes
    base: str = ""
    recipe: str = ""
    is_checkpoint: bool | None = None
    instance_types: tuple[str, ...] = ()
    version: str = ""

    @property
    def nova(self) -> str | None:
        return nova_of(f"{self.base} {self.image.rpartition('/')[2]}")

    @property
    def unmerged(self) -> bool:
        """True for an adapter that is not part of its base's weights."""
        return "lora" in self.recipe.lower() and self.is_checkpoint is not False


class JobFacts(NamedTuple):
    """A training job: `folder` is where its checkpoint lies, or `problem` why none is known."""

    status: str
    reason: str = ""
    nova: str | None = None
    folder: str = ""
    package: str = ""
    problem: str = ""


def nova_of(words: str) -> str | None:
    """The Nova model that words name (`micro`, `lite`, `pro`, `lite-v2`).

    "" for one of Nova whose size they do not tell, None for any other model.
    """
    lower = words.lower()
    if "nova" not in lower:
        return None
    return next((size for size, form in _SIZES.items() if form.search(lower)), "")
