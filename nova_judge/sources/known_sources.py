"""The sources of models that there are."""

from collections.abc import Iterator
from typing import Final

from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import CandidateSpec, Generation
from nova_judge.sources.answers_file import AnswersFile
from nova_judge.sources.bedrock import BedrockSource
from nova_judge.sources.endpoint import EndpointSource
from nova_judge.sources.openai_server import OpenAIServer
from nova_judge.sources.own_endpoint import (
    OWN_SOURCES,
    ModelPackageSource,
    TrainingJobSource,
    WeightsSource,
)
from nova_judge.sources.source import Source

SOURCES: Final[dict[str, Source]] = {
    "endpoint": EndpointSource(),
    "weights": WeightsSource(),
    "model_package": ModelPackageSource(),
    "training_job": TrainingJobSource(),
    "bedrock": BedrockSource(),
    "openai": OpenAIServer(),
    "file": AnswersFile(),
}
"""By the key that names a model in a recipe."""

_USERS = {
    "instance_types": ("endpoint", *OWN_SOURCES),
    "component": ("endpoint",),
    "form": ("endpoint", "model_package"),
    "revision": ("weights",),
    "lora": ("weights",),
    "serving": ("weights", "training_job"),
    "context": OWN_SOURCES,
    "secret": ("openai", "weights"),
}
_FORMS = (
    "endpoint (a model of the catalogue, or the name of an endpoint), weights (s3://…/ or a model "
    "of the Hub), model_package (an ARN), training_job (a name), bedrock (a model id) or "
    "openai (URL#MODEL)"
)


def source_of(model: AskedModel) -> Source:
    """The source of a model that has one; `model_problems` says so otherwise."""
    return SOURCES[model.source]


def candidate_problems(where: str, spec: CandidateSpec, how: Generation) -> Iterator[str]:
    """The faults of a candidate: a model that is asked, or a column of the input file."""
    if spec.file is None:
        yield from model_problems(where, spec, how)
    elif spec.named:
        yield (
            f"{where}: found file beside {', '.join(spec.named)}; exactly one source is allowed: "
            f"{_FORMS}, or file (response_A, response_B, or a file of answers beside the input)"
        )


def model_problems(where: str, model: AskedModel, how: Generation) -> Iterator[str]:
    """The faults of a model that is asked; `where` names its place in the recipe."""
    if len(model.named) != 1:
        yield (f"{where}: found {len(model.named)} sources; exactly one is allowed: {_FORMS}")
        return
    for key, users in _USERS.items():
        if getattr(model, key) and model.source not in users:
            named = " or ".join(f"`{user}`" for user in users)
            yield f"{where}.{key}: only a model of {named} has it"
    yield from source_of(model).problems(where, model, how)
