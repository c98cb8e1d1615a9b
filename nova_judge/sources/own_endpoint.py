"""Models on an endpoint that is made for the run and removed with it.

`{weights: …}` is a checkpoint in S3 or a model of the Hub; model packages and training jobs lead to
weights, too.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final

from nova_judge.answers.answers import Port
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.recipe.shape import not_one_of
from nova_judge.sources.request_forms import ChatForm, PlainForm
from nova_judge.sources.served import ADAPTER, IMAGES, NOVA, own_endpoint
from nova_judge.sources.source import Hosting, NamedModel, Payment, Ways

OWN_SOURCES: Final = ("weights", "model_package", "training_job")
_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
ESCROW = "s3://customer-escrow-"
"""Begins the addresses of checkpoints that jobs which customise Nova leave with AWS."""
_IN_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:[\w!.*'() -]+/)+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ON_THE_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class OwnEndpoint(NamedModel):
    """The half of a source that follows from the endpoint; the other half names the model."""

    on_aws: bool = True
    shared: bool = True

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        """The instance types that cannot serve the model, by the image that will serve it."""
        serving = model.serving or "vllm"
        offered: Collection[str] = ()
        if serving.startswith(NOVA):
            offered = catalog.compatibility().nova_inference[serving.removeprefix(NOVA)]
        elif model.weights is not None:
            offered = catalog.compatibility().gpus
        for kind in model.instance_types:
            if offered and kind not in offered:
                yield not_one_of(f"{where}.instance_types", kind, offered)
            elif not _INSTANCE.fullmatch(kind):
                yield f"{where}.instance_types: found {kind!r}; expected one such as ml.g5.2xlarge"

    def payment(self, model: AskedModel) -> Payment:
        return "hours"

    def hosting(self, model: AskedModel) -> Hosting | None:
        supposed = catalog.assumptions().endpoint_tokens_per_second
        return Hosting(
            own_endpoint(model),
            model.instance_types,
            min(supposed.value.values()),
            f"the slowest model of the catalogue; {supposed.why}",
            IMAGES.get(model.serving or ("vllm" if model.weights else "")),
        )

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        name = None if model.lora is None else ADAPTER
        form = PlainForm(how) if model.form == "text" else ChatForm(name, how)
        return ways.stage_endpoint(own_endpoint(model), form, how)


def serving_name(model: AskedModel) -> str:
    """The image of a model as the store of answers knows it."""
    serving = model.serving or "vllm"
    if serving in IMAGES:
        return catalog.images().serving.images[IMAGES[serving]]
    return f"{catalog.images().nova_inference.repository} {serving}"


class ModelPackageSource(OwnEndpoint):
    """`{model_package: …}`: a version in the registry, of the account or shared with it."""

    def kept_as(self, model: AskedModel) -> str:
        return f"package {model.model}"

    def title(self, model: AskedModel) -> str:
        return model.model.partition(":model-package/")[2]


class TrainingJobSource(OwnEndpoint):
    """`{training_job: …}`: the checkpoint that a job of the account left."""

    def kept_as(self, model: AskedModel) -> str:
        return f"checkpoint of {model.model} on {serving_name(model)}"


class WeightsSource(OwnEndpoint):
    """Own weights."""

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
        if in_s3 and model.secret is not None:
            yield f"{where}.secret: only a model of the Hub is behind a key"
        if model.secret is not None and model.lora is not None:
            yield f"{where}.lora: a gated model takes no adapter beside it"
        if not in_s3 and model.revision is None:
            yield (
                f"{where}.revision: missing; a model of the Hub may change between two runs. "
                "Write the commit, or a tag"
            )
        elif model.secret is not None and may_move(model):
            yield (
                f"{where}.revision: found {model.revision!r}; a gated model is copied once, and a "
                "branch or tag may move: write the commit, 40 hexadecimal digits"
            )
        yield from _serving_problems(where, model)
        yield from super().problems(where, model, how)

    def kept_as(self, model: AskedModel) -> str:
        adapter = f" with {model.lora}" if model.lora else ""
        return f"{model.weights} {model.revision or ''}{adapter} on {serving_name(model)}"

    def title(self, model: AskedModel) -> str:
        named = model.lora or model.weights or ""
        return named.rstrip("/").removeprefix("s3://")


def may_move(model: AskedModel) -> bool:
    """True where a branch or a tag of the Hub names the weights."""
    return model.revision is not None and not _COMMIT.fullmatch(model.revision)


def _serving_problems(where: str, model: AskedModel) -> Iterator[str]:
    """The faults of how the weights are to be served."""
    serving, weights = model.serving or "vllm", model.weights or ""
    is_nova = serving.startswith(NOVA)
    if weights.startswith(ESCROW) and not is_nova:
        yield (
            f"{where}.serving: found {serving}; a checkpoint below {ESCROW}… is that of a "
            "customised Nova model: write nova-micro, nova-lite, nova-pro or nova-lite-v2"
        )
    if is_nova and not weights.startswith("s3://"):
        yield f"{where}.serving: Nova's image serves checkpoints in S3 only"
    if model.lora is None:
        return
    if not _IN_S3.fullmatch(model.lora):
        yield (
            f"{where}.lora: found {model.lora!r}; the folder of an adapter is expected "
            "(s3://bucket/folder/, with the / at its end)"
        )
    if serving != "vllm":
        yield f"{where}.lora: only serving: vllm takes an adapter beside its weights"
