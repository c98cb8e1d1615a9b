"""Requests of the right form that the service refuses are refused with the recipe."""

import msgspec
import pytest

from nova_judge.recipe.serverless import Serverless, serverless_problems

HUB = "arn:aws:sagemaker:us-east-1:{}:hub-content/{}/Model/{}/1.0.0"
JUDGE = {"evaluator": "us.anthropic.claude-sonnet-4-6", "metrics": ["Correctness"]}


@pytest.mark.parametrize(
    ("account", "hub", "model", "words"),
    [
        ("aws", "SageMakerPublicHub", "nova-textgeneration-lite-v2", "`kind: bedrock_judge` with"),
        ("111122223333", "team-hub", "meta-llama", "take models of SageMakerPublicHub only"),
    ],
)
def test_what_the_service_refuses_is_refused_with_the_way_that_works(account, hub, model, words):
    base = HUB.format(account, hub, model)
    serverless = msgspec.convert(
        {"evaluation": "llmaj", "base_model": base, "llmaj": JUDGE}, Serverless
    )

    (problem,) = serverless_problems(serverless, None)

    assert words in problem


def test_what_the_service_takes_is_no_problem():
    base = HUB.format("aws", "SageMakerPublicHub", "meta-textgeneration-llama-3-2-1b-instruct")
    serverless = msgspec.convert(
        {"evaluation": "llmaj", "base_model": base, "llmaj": JUDGE}, Serverless
    )

    assert list(serverless_problems(serverless, None)) == []
