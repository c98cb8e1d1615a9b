"""The registry gate: what a triggered run lets happen to the model that set it off."""

import pytest

from nova_judge.findings.registry_finding import registry_finding
from nova_judge.inputs.reading import GENERATED, AnswerSources
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.trigger import Decision, GateDemands, Trigger
from nova_judge.records import S3Object
from nova_judge.runs.run import Run
from tests.made.changed import changed
from tests.unit.conftest import RECIPE
from tests.unit.findings.test_score_gate import metrics as scored_metrics

INPUT = "inbox/no-cache/q.jsonl"
CANDIDATES = "candidates: {A: {endpoint: base}, B: {endpoint: sft-17}}\n"
JOB = Trigger("ckpt", training_job="sft-17")


def run(trigger=JOB, candidates=CANDIDATES, sources=GENERATED, key=INPUT):
    recipe = load_recipe(candidates + RECIPE.format(rows=9, shard_bytes=4_096), file="own.yaml")
    return Run(
        run_id="q-0123456789ab",
        execution="arn:execution:one",
        created="2026-11-29T12:00:00Z",
        input=S3Object("data", key, "1", 5),
        recipe=recipe,
        recipe_sha256=recipe.sha256,
        sources=sources,
        trigger=trigger,
    )


def decision(recipe="own", **demands):
    return Decision(recipe, INPUT, ("approval", "tag"), GateDemands(max_errors=0.1, **demands))


def at(metrics, end):
    return {"low": metrics.win_rate.low, "high": metrics.win_rate.high + 1e-9}[end]


@pytest.mark.parametrize(
    ("end", "outcome", "approval"), [("low", "pass", "Approved"), ("high", "worse", "Rejected")]
)
def test_what_the_interval_decides_is_the_approval(rubric_metrics, end, outcome, approval):
    demands = decision(min_win_rate=at(rubric_metrics, end))
    finding = registry_finding(run(), rubric_metrics, demands)
    assert (finding.outcome, finding.approval) == (outcome, approval)
    assert finding.notes("q-0123456789ab") == {
        "nova-judge:outcome": outcome,
        "nova-judge:run": "q-0123456789ab",
    }
    words = f"Nova Judge run q-0123456789ab: {outcome}: win rate of B"
    assert finding.description("q-0123456789ab").startswith(words)


def test_what_does_not_decide_leaves_the_approval_alone(rubric_metrics, failed_run_metrics):
    demands = decision(min_win_rate=rubric_metrics.win_rate.estimate)
    assert registry_finding(run(), rubric_metrics, demands)[::2] == ("inconclusive", None)
    assert registry_finding(run(), failed_run_metrics, demands)[::2] == ("not evaluated", None)
    blocked = changed(rubric_metrics, "statistics.blocked_by", ("the A/A control prefers A",))
    assert registry_finding(run(), blocked, decision())[::2] == ("inconclusive", None)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"trigger": Trigger("ckpt", training_job="sft-18")}, "did not answer as sft-18"),
        ({"trigger": Trigger("ckpt", scheduled="2026-11-29")}, "neither a training job nor"),
        ({"trigger": None}, "neither a training job nor"),
        ({"sources": AnswerSources("file", "file")}, "did not answer as sft-17"),
        (
            {"candidates": "candidates: {A: {endpoint: sft-17}, B: {endpoint: base}}\n"},
            "candidate B did not answer as sft-17: write $trigger for its model",
        ),
        ({"key": "inbox/no-cache/easy.jsonl"}, "its input is inbox/no-cache/easy.jsonl"),
    ],
)
def test_a_run_about_something_else_approves_nothing(rubric_metrics, other, reason):
    demands = decision(min_win_rate=at(rubric_metrics, "low"))
    finding = registry_finding(run(**other), rubric_metrics, demands)
    assert finding[::2] == ("not evaluated", None)
    assert reason in finding.reason


def test_a_run_of_another_recipe_approves_nothing(rubric_metrics):
    demands = decision("strict", min_win_rate=at(rubric_metrics, "low"))
    finding = registry_finding(run(), rubric_metrics, demands)
    assert finding.reason == "its recipe is own, and that of the trigger strict"
    assert finding.approval is None


GROUP = "arn:aws:sagemaker:us-east-1:123456789012:model-package/summaries"


@pytest.mark.parametrize(
    ("version", "approval", "reason"),
    [
        (12, "Approved", "m B less A 0.300"),
        (1, None, f"the recipe does not evaluate {GROUP}/1"),
    ],
)
def test_scores_of_another_version_of_the_package_approve_nothing(version, approval, reason):
    asked = f"candidates: {{A: {{endpoint: base}}, B: {{model_package: '{GROUP}/12'}}}}\n"
    made = run(Trigger("registry", model_package=f"{GROUP}/{version}"), asked)
    finding = registry_finding(made, scored_metrics("A", "B"), decision(criteria={"m": 0.0}))
    assert finding.approval == approval
    assert reason in finding.reason


def test_a_description_is_one_line_that_the_registry_takes(rubric_metrics):
    finding = registry_finding(run(), rubric_metrics, decision())
    long = finding._replace(reason="why\n" * 900)
    assert "\n" not in long.description("r")
    assert len(long.description("r")) == 1024
