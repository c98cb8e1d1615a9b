"""Which models refuse which sampling settings: the recipe's check and the request agree."""

import msgspec
import pytest

from nova_judge.answers.converse import converse_request
from nova_judge.errors import RecipeError
from nova_judge.recipe.recipe import CandidateSpec, Generation
from nova_judge.sources.known_sources import candidate_problems

ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile"
ONE_OF_TWO = (
    "anthropic.claude-opus-4-1-20250805-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-sonnet-4-6",
    f"{ARN}/us.anthropic.claude-sonnet-4-6",
)
NEITHER = (
    "anthropic.claude-opus-4-7",
    "us.anthropic.claude-opus-4-8-v1:0",
    "anthropic.claude-opus-4-10",
    "us.anthropic.claude-opus-5",
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


def problems(model, temperature=0.7, top_p=0.9):
    how = Generation(temperature=temperature, top_p=top_p)
    return list(candidate_problems("A", CandidateSpec(bedrock=model), how))


def sent(model, **settings):
    request = converse_request(model, Generation(**settings))
    return msgspec.to_builtins(request.inference_config)


@pytest.mark.parametrize("model", ONE_OF_TWO)
def test_claude_from_4_1_on_takes_one_of_the_two(model):
    assert "not both: write top_p: null" in problems(model)[0]
    with pytest.raises(RecipeError, match="temperature or top_p, not both"):
        sent(model, top_p=0.9)
    assert problems(model, top_p=None) == problems(model, temperature=None) == []
    assert sent(model) == {"maxTokens": 512, "temperature": 0.7}
    assert sent(model, temperature=None, top_p=0.9) == {"maxTokens": 512, "topP": 0.9}


@pytest.mark.parametrize("model", NEITHER)
def test_claude_from_4_7_on_takes_neither(model):
    for given in ({"top_p": None}, {"temperature": None}, {}):
        assert "write temperature: null" in problems(model, **given)[0]
    with pytest.raises(RecipeError, match="neither temperature nor top_p"):
        sent(model)
    assert problems(model, temperature=None, top_p=None) == []
    assert sent(model, temperature=None) == {"maxTokens": 512}


@pytest.mark.parametrize("model", BOTH)
def test_other_models_take_both(model):
    assert problems(model) == []
    assert sent(model, top_p=0.9)["topP"] == 0.9
