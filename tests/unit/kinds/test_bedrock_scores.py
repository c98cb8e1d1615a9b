"""Bedrock's judge: requests that botocore accepts, limits, splitting and merging, output."""

import json
import re
from collections.abc import Iterable

import botocore.session
import botocore.validate
import msgspec
import pytest
import ryaml

from nova_judge.errors import RecipeError
from nova_judge.kinds.bedrock_scores import (
    dataset_line,
    evaluation_job_request,
    job_parts,
    source_identifier,
)
from nova_judge.kinds.job import JobPlace
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.bedrock_judge import (
    BedrockJudge,
    CustomMetric,
    Rating,
    RatingValue,
    bedrock_evaluation,
    bedrock_problems,
    custom_metric_problems,
    packaged_metric,
)
from nova_judge.records import InputRow, Unscored
from nova_judge.scores.bedrock_results import judge_facts, read_output_line, scored_answers
from nova_judge.scores.table import AnswerScore
from nova_judge.statistics.metric_means import mean_score
from nova_judge.tags import run_tags

JUDGE = BedrockJudge(
    evaluator="us.anthropic.claude-sonnet-4-6",
    metrics=("Correctness", "Harmfulness"),
    custom_metrics=(msgspec.convert(packaged_metric("positive-sentiment"), CustomMetric),),
)


def request(judge: BedrockJudge = JUDGE) -> dict[str, object]:
    return evaluation_job_request(
        judge,
        JobPlace(
            name="nova-judge-questions-0123456789ab-2",
            role_arn="arn:aws:iam::123456789012:role/EvalRole",
            data_uri="s3://data-bucket/runs/questions-0123456789ab/bedrock/B/2/input.jsonl",
            output_uri="s3://data-bucket/runs/questions-0123456789ab/bedrock/B/2/output/",
            tags=run_tags("dev", "questions-0123456789ab"),
        ),
        source_identifier("B", "Qwen/Qwen2.5 7B: Instruct"),
    )


def rows(count: int) -> list[InputRow]:
    return [
        InputRow(
            line=number + 1,
            id=str(number),
            prompt=f"Question {number % (count - 1)}?",
            response_A=f"no {number}",
            response_B=f"yes {number}",
            reference="yes",
            category="even" if number % 2 == 0 else None,
        )
        for number in range(count)
    ]


def output_line(row: InputRow, **results: float | str | None) -> bytes:
    response = {"response": row.response_B, "modelIdentifier": "B-b"}
    return json.dumps(
        {
            "automatedEvaluationResult": {
                "scores": [
                    {
                        "metricName": name if name == "PositiveSentiment" else f"Builtin.{name}",
                        "result": result,
                        "evaluatorDetails": [
                            {"modelIdentifier": "judge", "explanation": f"because {row.id}"}
                        ],
                    }
                    for name, result in results.items()
                ]
            },
            "inputRecord": {"prompt": row.prompt, "modelResponses": [response]},
            "modelResponses": [response],
        }
    ).encode()


def test_botocore_accepts_the_request_including_its_patterns() -> None:
    model = botocore.session.get_session().get_service_model("bedrock")
    shape = model.operation_model("CreateEvaluationJob").input_shape
    wire = json.loads(json.dumps(request()))
    report = botocore.validate.ParamValidator().validate(wire, shape)
    assert not report.has_errors(), report.generate_report()
    _check_patterns_and_lengths(wire, shape)


def _check_patterns_and_lengths(value: object, shape: botocore.model.Shape) -> None:
    """botocore itself checks neither pattern nor maximum length; the service does."""
    if shape.type_name == "structure":
        for key, inner in value.items():
            _check_patterns_and_lengths(inner, shape.members[key])
    elif shape.type_name == "list":
        assert len(value) <= shape.metadata.get("max", len(value))
        for inner in value:
            _check_patterns_and_lengths(inner, shape.member)
    elif shape.type_name == "string":
        assert len(value) <= shape.metadata.get("max", len(value))
        pattern = shape.metadata.get("pattern")
        assert pattern is None or re.search(f"^(?:{pattern})$", value), (shape.name, value)


def test_the_limits_are_those_of_botocore_s_model() -> None:
    shapes = botocore.session.get_session().get_service_model("bedrock")
    limits = bedrock_evaluation().limits
    found = {
        name: shapes.shape_for(name).metadata["max"]
        for name in (
            "EvaluationMetricNames",
            "AutomatedEvaluationCustomMetrics",
            "MetricName",
            "CustomMetricInstructions",
            "RatingScale",
            "RatingScaleItemDefinition",
        )
    }
    assert list(found.values()) == list(msgspec.structs.astuple(limits)[1:])


def test_own_metrics_are_named_among_the_metrics_and_defined() -> None:
    automated = request()["evaluationConfig"]["automated"]
    assert automated["datasetMetricConfigs"][0]["metricNames"] == [
        "Builtin.Correctness",
        "Builtin.Harmfulness",
        "PositiveSentiment",
    ]
    (defined,) = automated["customMetricConfig"]["customMetrics"]
    assert set(defined["customMetricDefinition"]) == {"name", "instructions", "ratingScale"}


def test_without_own_metrics_there_is_no_custom_metric_config() -> None:
    judge = BedrockJudge(evaluator="amazon.nova-pro-v1:0", metrics=("Correctness",))
    assert "customMetricConfig" not in request(judge)["evaluationConfig"]["automated"]


def test_a_line_holds_one_answer_under_the_requested_source() -> None:
    row = rows(3)[0]
    source = source_identifier("B", "b")
    assert json.loads(dataset_line(row, "B", source)) == {
        "prompt": "Question 0?",
        "referenceResponse": "yes",
        "category": "even",
        "modelResponses": [{"response": "yes 0", "modelIdentifier": source}],
    }


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (1000, [1000]), (1001, [1000, 1]), (2500, [1000, 1000, 500])],
)
def test_more_than_a_thousand_prompts_are_split(count: int, sizes: list[int]) -> None:
    parts = job_parts(count, 1000)
    assert [len(part) for part in parts] == sizes
    assert [number for part in parts for number in part] == list(range(count))


def scored(
    judge: BedrockJudge, rows: list[InputRow], lines: Iterable[bytes], metric: str = "Correctness"
) -> list[AnswerScore]:
    """The scores of B by one metric."""
    found = scored_answers(judge, "B", rows, map(read_output_line, lines))
    return [score for score in found if score.metric == metric]


def test_three_jobs_give_the_same_bits_as_one() -> None:
    answered = rows(2500)
    lines = [output_line(row, Correctness=(int(row.id) * 7 % 11) / 10) for row in answered]
    whole = scored(JUDGE, answered, reversed(lines))
    parts = [
        score
        for part in job_parts(2500, 1000)
        for score in scored(
            JUDGE,
            [answered[number] for number in part],
            reversed([lines[number] for number in part]),
        )
    ]
    assert whole == parts
    assert mean_score([score.result for score in whole]) == mean_score(
        [score.result for score in parts]
    )


def test_equal_prompts_with_different_answers_keep_their_own_scores() -> None:
    first, second, third = rows(3)
    assert first.prompt == third.prompt
    lines = [output_line(third, Correctness=0.0), output_line(first, Correctness=1.0)]
    found = scored(JUDGE, [first, second, third], lines)
    assert [score.result for score in found] == [
        1.0,
        Unscored("the job wrote no readable line for this row"),
        0.0,
    ]
    assert found[0].explanation == "because 0"


@pytest.mark.parametrize(
    ("line_end", "reason"),
    [
        ({"Correctness": None}, "the judge gave no result"),
        ({}, "the job did not report this metric: it has nothing"),
        ({"Correctness": 1.5}, "the result 1.5 does not lie in [0.0, 1.0]"),
    ],
)
def test_what_is_no_result_is_no_number(line_end: dict[str, float], reason: str) -> None:
    row = rows(2)[0]
    (found,) = scored(JUDGE, [row], [output_line(row, **line_end)])
    assert found.result == Unscored(reason)


@pytest.mark.parametrize("line", [b"", b"\n", b"{", b"[]", b"\xff\xfe", b'{"inputRecord": {}}'])
def test_a_broken_line_loses_only_its_own_row(line: bytes) -> None:
    first, second = rows(2)
    lost, kept = scored(JUDGE, [first, second], [line, output_line(second, Correctness=1)])
    assert isinstance(lost.result, Unscored)
    assert kept.result == 1.0


def test_a_judge_that_explains_nothing_still_scores() -> None:
    row = rows(2)[0]
    line = json.loads(output_line(row, Correctness=1.0))
    line["automatedEvaluationResult"]["scores"][0]["evaluatorDetails"] = None
    (found,) = scored(JUDGE, [row], [json.dumps(line).encode()])
    assert (found.result, found.explanation) == (1.0, "")


def test_a_scale_of_words_keeps_its_words() -> None:
    metric = CustomMetric(
        name="Tone",
        instructions="{{prediction}}",
        ratingScale=(Rating("warm", RatingValue(stringValue="warm")),),
    )
    judge = BedrockJudge(evaluator="amazon.nova-pro-v1:0", custom_metrics=(metric,))
    row = rows(2)[0]
    line = output_line(row, PositiveSentiment="warm").replace(b"PositiveSentiment", b"Tone")
    (found,) = scored(judge, [row], [line], "Tone")
    assert found.result == "warm"
    assert metric.bounds is None


def test_the_scale_of_an_own_metric_is_its_ratings() -> None:
    assert judge_facts(JUDGE)["PositiveSentiment"].scale == (0.0, 1.0)


METRIC = """
name: {name}
instructions: "{instructions}"
ratingScale: {scale}
"""
GOOD_SCALE = "[{definition: Good, value: {floatValue: 1}}]"


@pytest.mark.parametrize(
    ("name", "instructions", "scale", "said"),
    [
        ("Tone", "x" * 5000 + "{{prediction}}", GOOD_SCALE, "1 to 5,000 are allowed"),
        ("Tone", "{{prompt}}", GOOD_SCALE, "{{prediction}} is missing"),
        ("Tone", "{{prediction}} {{predicton}}", GOOD_SCALE, "Did you mean 'prediction'?"),
        ("Tone of voice", "{{prediction}}", GOOD_SCALE, "letters, digits"),
        ("T" * 64, "{{prediction}}", GOOD_SCALE, "at most 63 characters"),
        ("Correctness", "{{prediction}}", GOOD_SCALE, "is a built-in metric"),
        (
            "Tone",
            "{{prediction}}",
            str([{"definition": f"d{n}", "value": {"floatValue": n}} for n in range(11)]),
            "found 11 ratings; at most 10 are allowed",
        ),
        (
            "Tone",
            "{{prediction}}",
            "[{definition: " + "d" * 101 + ", value: {floatValue: 1}}]",
            "found 101 characters; 1 to 100 are allowed",
        ),
        ("Tone", "{{prediction}}", "[{definition: a, value: {}}]", "exactly one of floatValue"),
        (
            "Tone",
            "{{prediction}}",
            "[{definition: a, value: {floatValue: 1}}, {definition: a, value: {floatValue: 0}}]",
            "'a' appears more than once",
        ),
        (
            "Tone",
            "{{prediction}}",
            "[{definition: a, value: {floatValue: 1}}, {definition: b, value: {stringValue: x}}]",
            "numbers and words are mixed",
        ),
    ],
)
def test_an_own_metric_over_a_limit_is_refused_with_the_limit(
    name: str, instructions: str, scale: str, said: str
) -> None:
    text = METRIC.format(name=name, instructions=instructions, scale=scale)
    (problem,) = custom_metric_problems(msgspec.convert(ryaml.loads(text), CustomMetric))
    assert said in problem


def test_a_metric_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(RecipeError, match=r"there are .*positive-sentiment"):
        packaged_metric("positive-sentimant")


ELEVEN = tuple(CustomMetric(name=f"m{n}", instructions="{{prediction}}") for n in range(11))


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        ({"metrics": ("Corectness",)}, "Did you mean 'Correctness'?"),
        ({"metrics": ()}, "metrics: none named"),
        ({"metrics": ("Refusal", "Refusal")}, "'Refusal' stands 2 times"),
        ({"metrics": ("Refusal",), "judged": ()}, "A, B or both are allowed"),
        (
            {"custom_metrics": ELEVEN},
            "found 11; at most 10 are allowed",
        ),
    ],
)
def test_wrong_metrics_are_refused_with_what_is_allowed(
    judge: dict[str, object], said: str
) -> None:
    (problem,) = bedrock_problems(BedrockJudge(evaluator="amazon.nova-pro-v1:0", **judge))
    assert said in problem


@pytest.mark.parametrize("listed", [True, False])
def test_a_metric_wrapped_as_aws_prints_it_is_that_metric(listed: bool) -> None:
    wrapped = {
        "customMetricDefinition": {
            "name": "PositiveSentiment",
            "instructions": "Prompt: {{prompt}}\nResponse: {{prediction}}",
            "ratingScale": [
                {"definition": "Good", "value": {"floatValue": 1}},
                {"definition": "Poor", "value": {"floatValue": 0}},
            ],
        }
    }
    judge = {
        "evaluator": "amazon.nova-pro-v1:0",
        "custom_metrics": [wrapped] if listed else wrapped,
    }
    text = json.dumps({"kind": "bedrock_judge", "judge": {"bedrock": judge}})
    (metric,) = load_recipe(text, file="own.yaml").bedrock.custom_metrics
    defined = {"customMetricDefinition": metric.definition()}
    assert json.loads(json.dumps(defined)) == wrapped
