"""`{weights: …}`: a checkpoint in S3, or a model of the Hub, on an endpoint made for the run.

AWS's vLLM image serves it: https://github.com/aws/deep-learning-containers (docs/vllm).
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from nova_judge.answers.answers import Port
from nova_judge.errors import RecipeError
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.recipe.shape import not_one_of
from nova_judge.sources.request_forms import ChatForm
from nova_judge.sources.source import Hosting, Payment, Ways

OWN = "own-"
"""Begins the names of endpoints that serve weights which a recipe names."""
SERVING = "vllm"

_IN_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:[\w!.*'() -]+/)+")
_ON_THE_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class Served(msgspec.Struct, frozen=True):
    """Weights and the image that serves them: other ones have another endpoint."""

    weights: str
    revision: str | None
    image: str

    @property
    def endpoint(self) -> str:
        """The name of their endpoint in a stage, after the stage's prefix."""
        return f"{OWN}{hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:12]}"

    def environment(self, gpus: int) -> dict[str, str]:
        """The variables of the container on an instance with so many GPUs."""
        variables = {"SM_VLLM_TENSOR_PARALLEL_SIZE": str(gpus)}
        if not self.weights.startswith("s3://"):
            variables["SM_VLLM_MODEL"] = self.weights
        if self.revision is not None:
            variables["SM_VLLM_REVISION"] = self.revision
        for name, value in variables.items():
            if not value.isprintable():  # the container reads its variables line by line
                raise RecipeError(f"{name}: {value!r} holds a control character")
        return variables


def served_by(model: AskedModel) -> Served:
    """The weights that a model names, with the image of today."""
    image = catalog.images().serving.images[SERVING]
    return Served(model.weights or "", model.revision, image)


@dataclass(frozen=True)
class WeightsSource:
    """Own weights."""

    on_aws: bool = True
    shared: bool = True

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        weights = model.weights or ""
        in_s3 = weights.startswith("s3://")
        if not (_IN_S3 if in_s3 else _ON_THE_HUB).fullmatch(weights):
            yield (
                f"{where}.weights: found {weights!r}; the folder of a Hugging Face checkpoint "
                "(s3://bucket/folder/, with the / at its end) or a model of the Hub "
                "(organisation/name) is expected"
            )
        if in_s3 and model.revision is not None:
            yield f"{where}.revision: only a model of the Hub has revisions"
        if not in_s3 and model.revision is None:
            yield (
                f"{where}.revision: missing; a model of the Hub may change between two runs. "
                "Write the commit, or a tag"
            )
        gpus = catalog.compatibility().gpus
        if not model.instance_types:
            yield (
                f"{where}.instance_types: missing; name those to try, in this order. Weights of 16 "
                "bits take 2 GB per billion parameters, and the cache a part of it: "
                f"{_by_memory()}"
            )
        for kind in model.instance_types:
            if kind not in gpus:
                yield not_one_of(f"{where}.instance_types", kind, gpus)

    def kept_as(self, model: AskedModel) -> str:
        served = served_by(model)
        return f"{served.weights} {served.revision or ''} on {served.image}"

    def title(self, model: AskedModel) -> str:
        return (model.weights or "").rstrip("/").removeprefix("s3://")

    def takes_batches(self, model: AskedModel) -> bool:
        return False

    def payment(self, model: AskedModel) -> Payment:
        return "hours"

    def hosting(self, model: AskedModel) -> Hosting | None:
        supposed = catalog.assumptions().endpoint_tokens_per_second
        return Hosting(
            served_by(model).endpoint,
            model.instance_types,
            min(supposed.value.values()),
            f"the slowest model of the catalogue; {supposed.why}",
        )

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        return ways.stage_endpoint(served_by(model).endpoint, ChatForm(None, how), how)


def _by_memory() -> str:
    gpus = catalog.compatibility().gpus
    return ", ".join(f"{kind} {gpu.gpus} x {gpu.gib} GiB" for kind, gpu in gpus.items())
