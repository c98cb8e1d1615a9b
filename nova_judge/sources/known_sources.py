"""The sources of models that there are, and the models that a recipe asks of them."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from nova_judge.answers.answers import Port, model_name
from nova_judge.answers.converse import sampling_problem
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import CandidateSpec, Generation, Recipe
from nova_judge.recipe.shape import not_one_of
from nova_judge.sources.answers_file import AnswersFile
from nova_judge.sources.openai_server import OpenAIServer
from nova_judge.sources.own_endpoint import (
    OWN_SOURCES,
    ModelPackageSource,
    TrainingJobSource,
    WeightsSource,
    may_move,
)
from nova_judge.sources.request_forms import form_of
from nova_judge.sources.source import Hosting, NamedModel, Payment, Source, Ways

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def is_the_stages(model: AskedModel) -> bool:
    """True for a model of the catalogue, whose endpoint the run brings up."""
    return model.endpoint in catalog.models().endpoints


def is_the_accounts(model: AskedModel) -> bool:
    """True for an endpoint that the account has."""
    return model.endpoint is not None and not is_the_stages(model)


class EndpointSource(NamedModel):
    """`{endpoint: …}`: a model of `data/models.json`, else one of the account's endpoints."""

    on_aws: bool = True
    shared: bool = True

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        offered = catalog.models().endpoints
        served = offered.get(model.model)
        if served is None:
            if not _NAME.fullmatch(model.model):
                also = "or the name of an endpoint: letters, digits and hyphens"
                yield not_one_of(f"{where}.endpoint", model.model, offered, also)
            if model.instance_types:
                yield f"{where}.instance_types: an endpoint of the account has instances already"
            return
        for key in ("component", "form"):
            if getattr(model, key) is not None:
                yield f"{where}.{key}: a model of the catalogue needs none"
        for kind in model.instance_types:
            if kind not in served.instance_types:
                yield not_one_of(f"{where}.instance_types", kind, served.instance_types)

    def kept_as(self, model: AskedModel) -> str:
        served = catalog.models().endpoints.get(model.model)
        if served is None:
            return f"endpoint {model.model} {model.component or ''}".rstrip()
        return f"{served.model_id} on {catalog.images().serving.images[served.serving]}"

    def title(self, model: AskedModel) -> str:
        return model.component or model.model

    def payment(self, model: AskedModel) -> Payment:
        return "hours" if is_the_stages(model) else "others"

    def hosting(self, model: AskedModel) -> Hosting | None:
        served = catalog.models().endpoints.get(model.model)
        if served is None:
            return None
        supposed = catalog.assumptions().endpoint_tokens_per_second
        return Hosting(
            model.model,
            model.instance_types or served.instance_types,
            supposed.value[model.model],
            supposed.why,
            served.serving,
        )

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        served = catalog.models().endpoints.get(model.model)
        if served is None:
            return ways.account_endpoint(model.model, model.component, model.form, how)
        form = form_of(served.serving, served.model_id, how)
        return ways.stage_endpoint(model.model, form, how)


BEDROCK_MODEL = re.compile(r"[a-z0-9][a-zA-Z0-9.:/_-]{2,2047}")

_CALLS_ALONE = re.compile(
    r":(custom-model-deployment|(default-)?prompt-router|imported-model|provisioned-model)/"
)
"""Of ARNs that batch inference refuses; botocore's CreateModelInvocationJob has no pattern for
them."""

_CALLABLE = re.compile(
    r"arn:[a-z-]+:bedrock:[a-z0-9-]*:[0-9]*:"
    r"(foundation-model|inference-profile|application-inference-profile|provisioned-model"
    r"|custom-model-deployment|imported-model|(default-)?prompt-router)/"
)
"""ARNs that Converse takes as a modelId (Bedrock's API reference)."""


class BedrockSource(NamedModel):
    """Bedrock's models by id or ARN."""

    on_aws: bool = True
    shared: bool = False

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        name = model.model
        if not BEDROCK_MODEL.fullmatch(name):
            yield (
                f"{where}.bedrock: found {name!r}; a model id, an inference profile or an ARN is "
                "expected, such as us.anthropic.claude-sonnet-4-6"
            )
        elif ":custom-model/" in name:
            yield (
                f"{where}.bedrock: {name} is a custom model, which Bedrock calls through its "
                "deployment or provisioned throughput only: write the ARN of one of these"
            )
        elif "/" in name and not name.startswith("arn:"):
            yield (
                f"{where}.bedrock: found {name!r}; an id of Bedrock's holds no `/`, as in other "
                "tools' names: write the id alone, or the whole ARN"
            )
        elif name.startswith("arn:") and not _CALLABLE.match(name):
            yield (
                f"{where}.bedrock: {name} is not the ARN of a Bedrock model, profile, deployment "
                "or router; an endpoint of SageMaker is written as `endpoint: NAME`"
            )
        if problem := sampling_problem(name, how.temperature, how.top_p):
            yield (
                f"{where}.generation: found temperature {how.temperature} and top_p {how.top_p}, "
                f"and {problem}"
            )

    def takes_batches(self, model: AskedModel) -> bool:
        return not _CALLS_ALONE.search(model.model)

    def payment(self, model: AskedModel) -> Payment:
        return "tokens"

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        return ways.bedrock(model.model, how)


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


CANDIDATE = "candidates."
"""Begins the place of a candidate in a recipe."""


def asked_models(recipe: Recipe, sides: Iterable[str] | None = None) -> dict[str, AskedModel]:
    """The candidates, those of `sides` or all, and the judges, by their places in the recipe."""
    names = recipe.names if sides is None else sides
    candidates: dict[str, AskedModel] = {f"{CANDIDATE}{c}": recipe.candidate(c) for c in names}
    return candidates | recipe.judge.asked


def endpoint_instances(models: Iterable[AskedModel]) -> dict[str, tuple[str, ...]]:
    """The endpoints of those models, each with the instance types to try in this order.

    None of them is there where only the account can tell which fit.
    """
    named: dict[str, tuple[str, ...]] = {}
    offered: dict[str, tuple[str, ...]] = {}
    for model in models:
        hosting = source_of(model).hosting(model)
        if hosting is not None:
            named[hosting.endpoint] = named.get(hosting.endpoint, ()) + model.instance_types
            offered[hosting.endpoint] = hosting.instance_types
    return {name: tuple(dict.fromkeys(types)) or offered[name] for name, types in named.items()}


def asked_warnings(recipe: Recipe, asked: Collection[str]) -> Iterator[str]:
    """Sentences on the candidates that are `asked`, and on the judges.

    Two that are one model, asked in one way, are a sound test of the judge, so that they are said
    and never refused.
    """
    for base, other in recipe.compared:
        if base in asked and other in asked and _asked(recipe, base) == _asked(recipe, other):
            yield (
                f"{base} and {other} are the same model, asked in the same way: comparing them "
                "tests the judge, which should find no difference, and says nothing about models"
            )
    moving = filter(may_move, asked_models(recipe, asked).values())
    for name in dict.fromkeys(f"{model.model} at {model.revision}" for model in moving):
        yield (
            f"{name}: a branch or tag of the Hub may move, and answers that are kept from before "
            "would be those of other weights. Write the commit as `revision`, 40 hexadecimal digits"
        )


def _asked(recipe: Recipe, candidate: str) -> tuple[object, ...]:
    """All that the candidate's answers depend on: equal ones would share their kept answers."""
    spec = recipe.candidate(candidate)
    weights = source_of(spec).kept_as(spec)
    return model_name(weights, recipe.generation_for(candidate)), spec.turns, spec.examples
