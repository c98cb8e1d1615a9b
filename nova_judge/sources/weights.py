"""`{weights: …}`: a checkpoint in S3, or a model of the Hub, on an endpoint made for the run."""

import re
from collections.abc import Iterator

from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.own_endpoint import OwnEndpoint, serving_name
from nova_judge.sources.served import NOVA

ESCROW = "s3://customer-escrow-"
"""Begins the addresses of checkpoints that jobs which customise Nova leave with AWS."""
_IN_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:[\w!.*'() -]+/)+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ON_THE_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


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
