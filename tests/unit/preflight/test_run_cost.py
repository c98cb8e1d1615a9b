import msgspec
import pytest

from nova_judge.inputs.reading import AnswerSources
from nova_judge.kinds.recipes import load_recipe
from nova_judge.preflight.pricing import run_cost
from nova_judge.recipe.files import packaged_recipe
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.row_accounting import DatasetSummary, TokenCount
from nova_judge.runs.run import Run
from nova_judge.runs.usage import Bill, Estimate, InstanceTime, Meter, Workload
from nova_judge.sources.known_sources import endpoint_instances
from tests.made.asked_runs import run_of

MIXED = load_recipe(packaged_recipe("qwen-vs-claude"), file="qwen-vs-claude.yaml")
ESTIMATE = Estimate(
    workload=Workload(rows=1),
    likely=Bill((), 7.0, ()),
    worst=Bill((), 9.0, ()),
    hours=0.5,
    assumptions=("list prices",),
)


def run(estimate=ESTIMATE, source="generated") -> Run:
    return run_of(MIXED, AnswerSources(source, source), run_id="r", estimate=estimate)


def job(number: int, started: int | None = 0, ended: int | None = 1_800_000) -> JobOutcome:
    return JobOutcome(
        run_id="r",
        number=number,
        name=f"job-{number}",
        status="Completed",
        output_uri="s3://b/runs/r/judge/0/output/",
        instance_type="ml.g5.12xlarge",
        instance_count=1,
        started=started,
        ended=ended,
    )


def summary(**tokens: TokenCount) -> DatasetSummary:
    return DatasetSummary(
        input=1,
        rejected=0,
        generation_failed=0,
        rows=1,
        jobs=1,
        cached=0,
        rejected_reasons=(),
        failed_reasons=(),
        tokens=tokens,
    )


def test_jobs_are_billed_by_their_own_time_and_bedrock_by_the_models_own_count():
    counted = summary(A=TokenCount(10**6, 10**6), B=TokenCount(10**6, 10**6))

    cost = run_cost(run(), counted, [job(0), job(1)], stand_in=False)

    # Two half hours of the judge; A is an endpoint, whose tokens cost nothing by themselves.
    assert cost.actual.usd == pytest.approx(7.09 + 3.3 + 16.5)
    assert cost.estimate == ESTIMATE


def test_what_nobody_measured_is_named():
    cost = run_cost(run(), summary(), [job(0)], stand_in=False)

    assert cost.unmetered == ("endpoint qwen2.5-1.5b-instruct", "Step Functions", "Lambda")


def test_a_job_that_never_started_costs_nothing():
    cost = run_cost(run(), None, [job(0, started=None, ended=None)], stand_in=False)

    assert (cost.actual.usd, cost.actual.lines) == (0, ())


def test_a_stand_in_judge_costs_nothing_and_is_not_billed():
    cost = run_cost(run(), summary(), [job(0)], stand_in=True)

    assert (cost.actual, cost.unmetered) == (None, ())


def test_a_run_that_was_never_estimated_has_no_cost():
    assert run_cost(run(estimate=None), summary(), [job(0)], stand_in=False) is None


def test_a_judge_by_calls_costs_the_tokens_that_it_counted_and_half_in_batch():
    text = "kind: model_judge\njudge:\n  model: {bedrock: us.anthropic.claude-sonnet-4-6}\n"
    for more, dollars in (("", 4.95), ("  calls: {batch_from: 1}\n", 2.475)):
        recipe = load_recipe(text + more, file="own.yaml")
        outcome = JobOutcome(
            run_id="r",
            number=0,
            name="n",
            status="Completed",
            output_uri="s3://b/",
            instance_type="",
            instance_count=0,
            tokens=(1_000_000, 100_000),
        )
        asked = msgspec.structs.replace(run(source="file"), recipe=recipe)
        cost = run_cost(asked, summary(), [outcome], stand_in=False)
        lines = [line.usd for line in cost.actual.lines if line.part == "Bedrock"]
        assert lines == [pytest.approx(dollars)]


def test_endpoints_of_own_weights_and_of_judges_are_metered_by_their_names():
    weights = "{weights: org/name, revision: main, instance_types: [ml.g5.xlarge]}"
    text = (
        f"kind: model_judge\njudge:\n  panel:\n    own: {weights}\n    theirs: {{endpoint: it}}\n"
    )
    recipe = load_recipe(text, file="own.yaml")
    asked = msgspec.structs.replace(run(source="file"), recipe=recipe)
    (endpoint,) = endpoint_instances([recipe.judge.panel["own"]])
    meter = Meter(
        endpoints=(InstanceTime("ml.g5.xlarge", 3600, 1, endpoint),),
        transitions=1.0,
        lambda_gb_seconds=1.0,
    )
    cost = run_cost(asked, summary(), [], meter, stand_in=False)
    assert cost.unmetered == ("endpoint it",)
    assert [line.quantity for line in cost.actual.lines if line.part == "endpoint"] == [1.0]
