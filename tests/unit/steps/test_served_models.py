"""What a run serves for its judges is settled as for its candidates."""

import json

import pytest

from nova_judge.kinds.recipes import load_recipe
from nova_judge.preflight.served_model import Placed
from nova_judge.preflight.weights_check import Allowed
from nova_judge.sources.served import Served
from nova_judge.steps import served_models as module
from nova_judge.steps.served_models import served_models

WEIGHTS = {"weights": "org/name", "revision": "main"}
FOUND = Placed(
    served=Served(image="vllm", weights="org/name", revision="main"),
    types=("ml.g5.xlarge", "ml.g6.xlarge"),
    version="v1",
    words="fits",
)


def judged(judge: dict) -> dict:
    text = json.dumps({"kind": "model_judge", "judge": judge})
    return load_recipe(text, file="own.yaml")


@pytest.mark.parametrize(
    ("judge", "place"),
    [
        ({"model": WEIGHTS}, "judge.model"),
        ({"panel": {"a": {"bedrock": "amazon.nova-pro-v1:0"}, "b": WEIGHTS}}, "judge.panel.b"),
    ],
)
def test_a_judges_instance_types_are_found_and_its_weights_told_apart(monkeypatch, judge, place):
    monkeypatch.setattr(module, "_placement", lambda *_: FOUND)
    settled = served_models(judged(judge), (), "us-east-1", Allowed(("hub",)))
    assert settled.recipe.judge.asked[place].instance_types == ("ml.g5.xlarge", "ml.g6.xlarge")
    assert settled.versions == {place: "v1"}
    assert list(settled.served.values()) == [FOUND.served]


def test_a_judge_that_the_stage_does_not_serve_is_refused():
    settled = served_models(judged({"model": WEIGHTS}), (), "us-east-1", Allowed())
    (check,) = settled.checks
    assert (check.name, check.status) == ("weights org/name", "fail")
    assert "add hub to weights of the stage" in check.advice
