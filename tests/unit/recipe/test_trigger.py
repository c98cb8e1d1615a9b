"""What sets a run off, and how a recipe names it."""

import pytest

from nova_judge.errors import RecipeError, RequestError
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.trigger import Trigger, require_named, trigger_of, with_trigger

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/summaries/7"
JOB = Trigger("ckpt", training_job="sft-17", event="e1")
OF_PACKAGE = Trigger("registry", model_package=PACKAGE, event="e1")


def candidates(key):
    return {"candidates": {"A": {"bedrock": "amazon.nova-lite-v1:0"}, "B": {key: "$trigger"}}}


@pytest.mark.parametrize(
    ("key", "trigger", "subject"),
    [
        ("training_job", JOB, "sft-17"),
        ("model_package", OF_PACKAGE, PACKAGE),
        ("endpoint", JOB, "sft-17"),
        ("name", OF_PACKAGE, PACKAGE),
    ],
)
def test_the_job_or_the_package_stands_where_the_recipe_names_it(key, trigger, subject):
    filled = with_trigger(candidates(key), trigger)
    assert filled["candidates"]["B"] == {key: subject}
    assert filled["candidates"]["A"] == {"bedrock": "amazon.nova-lite-v1:0"}


@pytest.mark.parametrize(
    ("key", "trigger", "problem"),
    [
        ("training_job", None, "name one with the --trigger of submit, doctor or estimate"),
        ("model_package", Trigger("weekly", scheduled="2026-11-30T06:00:00Z"), "nothing did"),
        ("training_job", OF_PACKAGE, "which is no training_job"),
        ("model_package", JOB, "$trigger is 'sft-17', which is no model_package"),
    ],
)
def test_a_recipe_that_names_what_did_not_happen_is_refused(key, trigger, problem):
    with pytest.raises(RecipeError) as refused:
        with_trigger(candidates(key), trigger)
    assert problem in str(refused.value)


def test_text_that_only_holds_the_word_stays_as_it_is():
    document = {"prompt": "Say $trigger.", "list": ["a", "$trigger"]}
    filled = with_trigger(document, JOB)
    assert filled == {"prompt": "Say $trigger.", "list": ["a", "sft-17"]}


def test_events_of_one_package_are_one_wish_and_times_are_several():
    again = Trigger("registry", model_package=PACKAGE, event="e2")
    assert OF_PACKAGE.identity == again.identity == PACKAGE
    times = [Trigger("weekly", scheduled=f"2026-11-{day}T06:00:00Z") for day in (23, 30)]
    assert times[0].identity != times[1].identity


def test_a_person_names_a_job_or_a_package():
    assert trigger_of("sft-17") == Trigger(training_job="sft-17")
    assert trigger_of(PACKAGE) == Trigger(model_package=PACKAGE)
    for wrong in ("two words", "arn:aws:sagemaker:us-east-1:123456789012:model/m"):
        with pytest.raises(RequestError, match="--trigger"):
            trigger_of(wrong)


def test_a_job_that_a_recipe_does_not_take_is_refused():
    recipe = load_recipe(packaged_recipe("pairwise"), file="mine.yaml")
    with pytest.raises(RequestError, match=r"^--trigger sft-17: the recipe names no \$trigger: "):
        require_named(JOB, recipe)
