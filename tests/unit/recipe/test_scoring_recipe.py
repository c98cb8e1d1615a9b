"""Recipes of the scoring kinds: what loads, and what is refused with what is allowed."""

import pytest
from msgspec import UNSET

from nova_judge.errors import RecipeError
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.recipe import Recipe, load_recipe
from nova_judge.recipe.scoring_recipe import (
    evaluator_models,
    generates,
    judge_model,
    needs_file,
    scores_answers,
    with_scorer,
)

SHIPPED = [
    "benchmark-mmlu",
    "own-data",
    "scorer-math",
    "scorer-own",
    "reward",
    "bedrock-judge",
    "serverless-mmlu",
]


def shipped(name: str) -> Recipe:
    return load_recipe(packaged_recipe(name), file=f"recipes/{name}.yaml")


def refused(text: str) -> str:
    with pytest.raises(RecipeError) as error:
        load_recipe(text, file="recipes/mine.yaml")
    return str(error.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_scores_answers(name: str) -> None:
    recipe = shipped(name)
    assert scores_answers(recipe.kind)
    assert generates(recipe) == (name == "bedrock-judge")
    assert needs_file(recipe) == (name not in ("benchmark-mmlu", "serverless-mmlu"))


def test_judging_kinds_do_not() -> None:
    assert not scores_answers("llm_judge")
    assert generates(shipped("pairwise"))
    assert needs_file(shipped("pairwise"))


def test_an_own_metric_may_be_named_instead_of_written_out() -> None:
    (metric,) = shipped("bedrock-judge").judge.bedrock.custom_metrics
    assert metric.name == "PositiveSentiment"
    unknown = packaged_recipe("bedrock-judge").replace("positive-sentiment]", "nice]")
    assert "there is no recipes/metrics/nice.yaml" in refused(unknown)


def test_who_judges_or_is_evaluated() -> None:
    assert judge_model(shipped("bedrock-judge")) == "us.anthropic.claude-sonnet-4-6"
    assert judge_model(shipped("benchmark-mmlu")) == "nova-micro/prod"
    assert judge_model(shipped("serverless-mmlu")) == "meta-textgeneration-llama-3-2-1b-instruct"
    assert evaluator_models(shipped("bedrock-judge")) == {"us.anthropic.claude-sonnet-4-6"}
    assert evaluator_models(shipped("own-data")) == set()


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("benchmark-mmlu", "task: mmlu", "task: gen_qa", "kind benchmark needs a benchmark"),
        ("benchmark-mmlu", "strategy: zs_cot", "strategy: zs", "mmlu allows only 'zs_cot'"),
        ("benchmark-mmlu", "global_facts", "local_facts", "Did you mean 'global_facts'?"),
        (
            "benchmark-mmlu",
            "evaluate_base_model: false",
            "evaluate_base_model: true",
            "the model is a base model already",
        ),
        (
            "benchmark-mmlu",
            "evaluate_base_model: false",
            "scorer: prime_math",
            "kind benchmark uses none",
        ),
        ("own-data", "task: gen_qa", "task: mmlu", "kind gen_qa needs gen_qa"),
        ("scorer-math", "prime_math  #", "Prime Math  #", "the name of a file in scorers/"),
        ("reward", "scorer: numeric_answer", "scorer: prime_math", "belongs to gen_qa"),
        ("reward", "  scorer: numeric_answer\n", "", "kind rft_eval needs a reward function"),
        ("bedrock-judge", "Completeness", "Completenes", "Did you mean 'Completeness'?"),
        ("bedrock-judge", "kind: bedrock_judge", "kind: llm_judge", "does not use it"),
        ("serverless-mmlu", "benchmark: mmlu", "benchmark: mmlu_por", "Did you mean 'mmlu_pro'?"),
        ("serverless-mmlu", "kind: serverless", "kind: bedrock_judge", "judge.bedrock: missing"),
    ],
)
def test_each_mistake_says_what_is_allowed(name: str, old: str, new: str, said: str) -> None:
    text = packaged_recipe(name)
    assert old in text
    assert said in refused(text.replace(old, new))


def test_a_scorer_stands_where_the_container_reads_it() -> None:
    nova = shipped("scorer-own").nova

    def arn_of(name: str) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"

    own = with_scorer(nova, "gen_qa", "numeric_answer", arn_of).processor
    assert own.lambda_arn == arn_of("numeric_answer")
    assert own.lambda_type == "custom_metrics"
    preset = with_scorer(nova, "gen_qa", "prime_math", arn_of).processor
    assert preset.preset_reward_function == "prime_math"
    assert preset.lambda_arn is UNSET
    given = "arn:aws:lambda:us-east-1:123456789012:function:mine"
    assert with_scorer(nova, "gen_qa", given, arn_of).processor.lambda_arn == given
    reward = with_scorer(shipped("reward").nova, "rft_eval", "numeric_answer", arn_of)
    assert reward.rl_env.reward_lambda_arn == arn_of("numeric_answer")
    assert reward.processor is UNSET
    assert with_scorer(nova, "gen_qa", None, arn_of) == nova


def test_two_places_for_one_function_are_refused() -> None:
    text = packaged_recipe("scorer-own").replace(
        "    evaluation:",
        "    processor: {lambda_arn: 'arn:aws:lambda:us-east-1:1:function:x'}\n    evaluation:",
    )
    assert "keep one of the two" in refused(text)
