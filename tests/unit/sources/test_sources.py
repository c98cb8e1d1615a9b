"""Each source says what is wrong with a model, what its answers cost and how it is asked."""

import pytest

from nova_judge.recipe.asked_model import SOURCES as KEYS
from nova_judge.recipe.asked_model import AskedModel, TokenPrice
from nova_judge.recipe.recipe import CandidateSpec, Generation
from nova_judge.sources.known_sources import SOURCES, candidate_problems, model_problems, source_of

HERE, THERE = "http://localhost:8000/v1#m", "https://api.example.com/v1#org/m"
ARN = "arn:aws:bedrock:us-east-1:111122223333"
MODELS = (
    AskedModel(endpoint="qwen2.5-7b-instruct"),
    AskedModel(bedrock="amazon.nova-lite-v1:0"),
    AskedModel(openai=THERE),
)
ARNS = (
    AskedModel(bedrock=f"{ARN}:custom-model-deployment/a1"),
    AskedModel(bedrock=f"{ARN}:default-prompt-router/amazon.nova:1"),
    AskedModel(bedrock="arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"),
)


def problems(**fields):
    return list(model_problems("candidates.A", AskedModel(**fields), Generation()))


def test_every_key_of_the_record_has_a_source():
    assert set(SOURCES) == {*KEYS, "file"}


@pytest.mark.parametrize("model", (*MODELS, *ARNS), ids=lambda model: model.bedrock or model.source)
def test_a_right_model_has_no_problem(model):
    assert list(model_problems("candidates.A", model, Generation())) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "found 0 sources"),
        ({"bedrock": "amazon.nova-lite-v1:0", "openai": HERE}, "found 2 sources"),
        ({"endpoint": "qwen2.5-7b-instruc"}, "Did you mean 'qwen2.5-7b-instruct'"),
        ({"endpoint": "mine", "instance_types": ("ml.g5.xlarge",)}, "has instances already"),
        ({"endpoint": "qwen2.5-7b-instruct", "form": "chat"}, "catalogue needs none"),
        ({"bedrock": "amazon.nova-lite-v1:0", "component": "x"}, "only a model of `endpoint`"),
        ({"endpoint": "qwen2.5-7b-instruct", "instance_types": ("ml.t3.medium",)}, "ml.g5.2xl"),
        ({"bedrock": "No Model"}, "an inference profile or an ARN is expected"),
        ({"bedrock": f"{ARN}:custom-model/amazon.nova-lite-v1:0/a1"}, "deployment or provisioned"),
        ({"bedrock": f"{ARN}:guardrail/a1"}, "not the ARN of a Bedrock model"),
        ({"bedrock": "arn:aws:sagemaker:us-east-1:1:endpoint/a1"}, "`endpoint: NAME`"),
        ({"bedrock": "amazon.nova-lite-v1:0", "instance_types": ("ml.g5.xlarge",)}, "`endpoint`"),
        ({"openai": "localhost:8000/v1#m"}, "the address of a server's API"),
        ({"openai": "http://localhost:8000/v1"}, "the name of its model"),
        ({"openai": "https://me:secret@example.com/v1#m"}, "credentials"),
        ({"openai": "https://example.com/v1?key=1#m"}, "credentials or a query"),
        ({"openai": "http://[::1/v1#m"}, "the address of a server's API"),
        ({"openai": "http://[::1/v1#m", "secret": "openai"}, "the address of a server's API"),
        ({"openai": "http://localhost:port/v1#m"}, "the address of a server's API"),
        ({"openai": "https://example.com/admin?#m"}, "credentials or a query"),
        ({"openai": "http://example.com/v1#m", "secret": "openai"}, "over https alone"),
        ({"bedrock": "amazon.nova-lite-v1:0", "secret": "openai"}, "only a model of `openai`"),
    ],
)
def test_a_wrong_model_is_refused_with_what_is_allowed(fields, words):
    assert words in "\n".join(problems(**fields))


def test_a_column_beside_a_model_is_one_source_too_many():
    spec = CandidateSpec(file="response_A", openai=THERE)
    (problem,) = candidate_problems("candidates.A", spec, Generation())
    assert "found file beside openai" in problem


def test_a_key_may_be_sent_to_a_server_on_this_machine_without_tls():
    assert problems(openai=HERE, secret="openai") == []


@pytest.mark.parametrize(
    ("model", "payment"),
    [
        (AskedModel(endpoint="qwen2.5-7b-instruct"), "hours"),
        (AskedModel(endpoint="ckpt-200"), "others"),
        (AskedModel(bedrock="amazon.nova-lite-v1:0"), "tokens"),
        (AskedModel(openai=THERE), "tokens"),
        (AskedModel(openai=HERE), "others"),
        (AskedModel(openai="http://127.0.0.1:1/v1#m"), "others"),
        (AskedModel(openai=HERE, price=TokenPrice(input=1, output=2)), "tokens"),
        (CandidateSpec(file="response_A"), "others"),
    ],
)
def test_who_pays_for_answers(model, payment):
    assert source_of(model).payment(model) == payment


def test_reports_name_the_model_and_not_its_address():
    assert source_of(MODELS[2]).title(MODELS[2]) == "org/m"
    assert source_of(MODELS[2]).kept_as(MODELS[2]) == "org/m at https://api.example.com/v1"


def test_only_models_on_endpoints_are_brought_up():
    brought = [source_of(model).hosting(model) is not None for model in MODELS]
    assert brought == [True, False, False]


ARN = "arn:aws:bedrock:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        (AskedModel(bedrock="amazon.nova-lite-v1:0"), True),
        (AskedModel(bedrock=f"{ARN}:inference-profile/us.amazon.nova-lite-v1:0"), True),
        (AskedModel(bedrock=f"{ARN}:application-inference-profile/abcdefghijkl"), True),
        (AskedModel(bedrock=f"{ARN}:custom-model-deployment/abcdefghijkl"), False),
        (AskedModel(bedrock=f"{ARN}:imported-model/abcdefghijkl"), False),
        (AskedModel(bedrock=f"{ARN}:provisioned-model/abcdefghijkl"), False),
        (AskedModel(bedrock=f"{ARN}:prompt-router/abcdefghijkl"), False),
        (AskedModel(bedrock=f"{ARN}:default-prompt-router/anthropic.claude:1"), False),
        (AskedModel(endpoint="qwen2.5-7b-instruct"), False),
        (AskedModel(openai=THERE), False),
    ],
)
def test_batch_inference_takes_models_and_profiles_alone(model, takes):
    assert source_of(model).takes_batches(model) is takes
