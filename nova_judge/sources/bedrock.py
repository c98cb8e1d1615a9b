"""`{bedrock: …}`: a model, profile or deployment on Amazon Bedrock, asked through Converse."""

import re
from collections.abc import Iterator

from nova_judge.answers.answers import Port
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.claude import sampling_problem
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.source import NamedModel, Payment, Ways

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
