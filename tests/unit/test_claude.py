"""Which models refuse `temperature` beside `top_p`: the recipe's check and the request agree."""

import pytest

from nova_judge.adapters.bedrock_converse import converse_request
from nova_judge.errors import RecipeError
from nova_judge.recipe.claude import takes_temperature_or_top_p
from nova_judge.recipe.compatibility import candidate_problems
from nova_judge.recipe.recipe import Generation

ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile"
ONE_OF_TWO = (
    "anthropic.claude-opus-4-1-20250805-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-sonnet-4-6",
    "anthropic.claude-opus-4-10",
    "us.anthropic.claude-opus-5",
    f"{ARN}/us.anthropic.claude-sonnet-4-6",
)
BOTH = (
    "anthropic.claude-v2:1",
    "anthropic.claude-instant-v1",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "anthropic.claude-opus-4-20250514-v1:0",
    "amazon.nova-pro-v1:0",
    "meta.llama3-1-70b-instruct-v1:0",
)


def problems(model):
    return list(candidate_problems("A", endpoint=None, bedrock=model, file=None, top_p=0.9))


@pytest.mark.parametrize("model", ONE_OF_TWO)
def test_claude_from_4_1_on_takes_one_of_the_two(model):
    assert takes_temperature_or_top_p(model)
    assert "leave generation.top_p out" in problems(model)[0]
    with pytest.raises(RecipeError, match="either temperature or top_p"):
        converse_request(model, Generation(top_p=0.9))
    assert "topP" not in converse_request(model, Generation())["inferenceConfig"]


@pytest.mark.parametrize("model", BOTH)
def test_other_models_take_both(model):
    assert not takes_temperature_or_top_p(model)
    assert problems(model) == []
    assert converse_request(model, Generation(top_p=0.9))["inferenceConfig"]["topP"] == 0.9
