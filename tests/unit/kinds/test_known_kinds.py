"""The kinds that there are: what their recipes say, and what is refused with what is allowed."""

import pytest
from msgspec import UNSET

from nova_judge.errors import RecipeError
from nova_judge.kinds.kind import JudgedBy
from nova_judge.kinds.known_kinds import KINDS, kind_of
from nova_judge.kinds.nova import OWN_DATA, REWARDS
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.files import packaged_recipe, recipe_names
from nova_judge.recipe.recipe import Recipe


def shipped(name: str) -> Recipe:
    return load_recipe(packaged_recipe(name), file=f"recipes/{name}.yaml")


def refused(text: str) -> str:
    with pytest.raises(RecipeError) as error:
        load_recipe(text, file="recipes/mine.yaml")
    return str(error.value)


def test_the_kinds_by_the_word_of_a_recipe() -> None:
    assert {name: kind.generates for name, kind in KINDS.items()} == {
        "llm_judge": True,
        "rubric_llm_judge": True,
        "model_judge": True,
        "benchmark": False,
        "gen_qa": False,
        "rft_eval": False,
        "bedrock_judge": True,
        "serverless": False,
    }
    with pytest.raises(RecipeError, match=r"found 'gen_qs'; allowed: .*Did you mean 'gen_qa'\?"):
        kind_of("gen_qs")


def test_only_benchmarks_bring_their_own_questions() -> None:
    without = {
        name for name in recipe_names() if not kind_of(shipped(name).kind).needs_file(shipped(name))
    }
    assert without == {"benchmark-mmlu", "serverless-mmlu"}


def test_an_own_metric_may_be_named_instead_of_written_out() -> None:
    (metric,) = shipped("bedrock-judge").judge.bedrock.custom_metrics
    assert metric.name == "PositiveSentiment"
    unknown = packaged_recipe("bedrock-judge").replace("positive-sentiment]", "nice]")
    assert "there is no recipes/metrics/nice.yaml" in refused(unknown)


def judged_by(recipe: Recipe) -> JudgedBy:
    return kind_of(recipe.kind).judged_by(recipe)


def test_who_judges_or_is_evaluated() -> None:
    claude = "us.anthropic.claude-sonnet-4-6"
    assert judged_by(shipped("pairwise")) == JudgedBy("nova-micro/prod", "judge", container=True)
    assert judged_by(shipped("bedrock-judge")) == JudgedBy(
        claude, "judge", bedrock=frozenset({claude})
    )
    assert judged_by(shipped("benchmark-mmlu")) == JudgedBy(
        "nova-micro/prod", "model", container=True
    )
    assert judged_by(shipped("serverless-mmlu")) == JudgedBy(
        "meta-textgeneration-llama-3-2-1b-instruct", "model"
    )


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
            "kind benchmark does not use it; gen_qa, rft_eval and serverless do",
        ),
        ("own-data", "task: gen_qa", "task: mmlu", "kind gen_qa needs gen_qa"),
        ("scorer-math", "prime_math  #", "Prime Math  #", "the name of a file in scorers/"),
        ("scorer-math", "prime_math  #", "prime_maths  #", "Did you mean 'prime_math'?"),
        ("reward", "scorer: numeric_answer", "scorer: prime_math", "belongs to gen_qa"),
        ("reward", "  scorer: numeric_answer\n", "", "kind rft_eval needs a reward function"),
        ("bedrock-judge", "Completeness", "Completenes", "Did you mean 'Completeness'?"),
        ("bedrock-judge", "kind: bedrock_judge", "kind: llm_judge", "does not use it"),
        ("serverless-mmlu", "benchmark: mmlu", "benchmark: mmlu_por", "Did you mean 'mmlu_pro'?"),
        ("serverless-mmlu", "kind: serverless", "kind: bedrock_judge", "judge.bedrock: missing"),
        (
            "bedrock-judge",
            "judge:\n",
            "stop: when_decided\njudge:\n",
            "llm_judge, rubric_llm_judge and model_judge do",
        ),
        (
            "pairwise",
            "judge:\n",
            "stop: when_decided\njudge:\n",
            "without judge.max_rows_per_job",
        ),
        (
            "bedrock-judge",
            "judge:\n",
            "judge:\n  nova: {run: {model_type: m, model_name_or_path: n}, "
            "evaluation: {task: t, strategy: s, metric: m}}\n",
            "judge.nova: kind bedrock_judge does not use it; llm_judge, rubric_llm_judge, "
            "benchmark, gen_qa and rft_eval do",
        ),
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

    own = OWN_DATA.with_scorer(nova, "numeric_answer", arn_of).processor
    assert own.lambda_arn == arn_of("numeric_answer")
    assert own.lambda_type == "custom_metrics"
    preset = OWN_DATA.with_scorer(nova, "prime_math", arn_of).processor
    assert preset.preset_reward_function == "prime_math"
    assert preset.lambda_arn is UNSET
    given = "arn:aws:lambda:us-east-1:123456789012:function:mine"
    assert OWN_DATA.with_scorer(nova, given, arn_of).processor.lambda_arn == given
    reward = REWARDS.with_scorer(shipped("reward").nova, "numeric_answer", arn_of)
    assert reward.rl_env.reward_lambda_arn == arn_of("numeric_answer")
    assert reward.processor is UNSET
    assert OWN_DATA.with_scorer(nova, None, arn_of) == nova


def test_two_places_for_one_function_are_refused() -> None:
    text = packaged_recipe("scorer-own").replace(
        "    evaluation:",
        "    processor: {lambda_arn: 'arn:aws:lambda:us-east-1:1:function:x'}\n    evaluation:",
    )
    assert "keep one of the two" in refused(text)
