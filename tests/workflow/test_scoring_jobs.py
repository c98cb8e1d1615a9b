"""Every kind of run that scores single answers, from the console input and from a dropped file."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nova_judge.layout import UNSTARTED
from nova_judge_local.judges.squad_scores import token_f1
from tests.workflow.conftest import ROOT, Account

EXAMPLES = ROOT / "examples"
OWN_DATA = (EXAMPLES / "own-data.jsonl").read_bytes()
CUSTOMISED = "s3://customised-models/nova-micro/checkpoints/"
LLAMA = "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/llama-3-2-1b/1.10.0"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/customised-models/1"
Start = Callable[..., Account]


def own_recipe(here: Account, name: str, text: str) -> None:
    """Put a recipe of one's own into the bucket, as a user would."""
    key = f"recipes/{name}.yaml"
    here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=text.encode())


def answers(folder: Path, *rows: dict[str, str]) -> tuple[str, ...]:
    path = folder / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return (str(path),)


def score(metrics: dict[str, Any], subject: str, metric: str) -> dict[str, Any]:
    (found,) = (
        entry
        for entry in metrics["scores"]
        if (entry["subject"], entry["metric"]) == (subject, metric)
    )
    return found


def test_a_benchmark_needs_no_file(account: Start) -> None:
    here = account()
    here.start({"recipe": "benchmark-mmlu"})

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    metrics = here.metrics()
    assert metrics["kind"] == "benchmark"
    assert metrics["rows"]["judged"] == metrics["rows"]["input"] == 36
    accuracy = score(metrics, "base", "accuracy")
    assert accuracy["estimate"] == pytest.approx(28 / 36)
    assert accuracy["method"] == "Wilson"
    assert [part["name"] for part in accuracy["slices"]] == [
        "college_biology",
        "global_facts",
        "world_religions",
    ]
    assert metrics["judge"]["role"] == "model"
    assert "(recorded answers to 36 questions of its own)" in metrics["judge"]["stand_in"]
    assert execution.output["headline"] == "accuracy 0.778"


def test_a_dropped_file_starts_a_benchmark_of_a_customised_model_beside_its_base(
    account: Start,
) -> None:
    here = account()
    text = (ROOT / "recipes" / "benchmark-mmlu.yaml").read_text()
    text = text.replace("evaluate_base_model: false", "evaluate_base_model: true")
    own_recipe(here, "mine", text.replace("nova-micro/prod", CUSTOMISED))
    here.drop("start.txt", b"now\n", recipe="mine")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    metrics = here.metrics()
    assert len(here.jobs()) == 2
    assert score(metrics, "base", "accuracy")["estimate"] == pytest.approx(28 / 36)
    assert score(metrics, "customised", "accuracy")["estimate"] == pytest.approx(33 / 36)
    (difference,) = metrics["differences"]
    assert difference["rows"] == 36
    assert difference["estimate"] == pytest.approx(5 / 36)


def test_own_data_is_scored_by_the_container_and_again_by_us(account: Start) -> None:
    here = account()
    broken = b'{"query": "no response"}\nnot JSON\n{"query": "", "response": "x"}\n'
    here.drop("mine.jsonl", broken + OWN_DATA, recipe="own-data")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    metrics = here.metrics()
    assert metrics["rows"] == {
        "input": 57,
        "rejected": 3,
        "generation_failed": 0,
        "judge_failed": 0,
        "judged": 54,
    }
    for metric in ("f1_score_quasi", "rougeL", "em"):
        entry = score(metrics, "base", metric)
        assert entry["estimate"] == pytest.approx(entry["reported"]["value"])
    bleu = score(metrics, "base", "bleu")
    assert bleu["recomputed"] == pytest.approx(bleu["reported"]["value"])
    assert metrics["notes"] == []


def test_an_own_scorer_is_called_as_a_lambda_function(account: Start) -> None:
    here = account()
    key = here.drop("mine.jsonl", OWN_DATA, recipe="scorer-own")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    metrics = here.metrics()
    right = score(metrics, "base", "right_number")
    # Where the reference holds no number the scorer says "not applicable", which is no score.
    assert (right["rows"], right["unscored"]) == (17, 37)
    assert right["estimate"] == pytest.approx(right["reported"]["value"])
    assert execution.output["headline"].startswith("right_number 0.")
    assert key.startswith("inbox/scorer-own/")


@pytest.mark.parametrize(
    ("recipe", "file", "metric", "expected"),
    [
        ("scorer-math", "math.jsonl", "prime_math", 14 / 18),
        ("code", "code.jsonl", "prime_code", 3 / 5),
        ("reward", "own-data.jsonl", "aggregate_reward_score", None),
    ],
)
def test_presets_and_rewards_from_the_console(
    account: Start, recipe: str, file: str, metric: str, expected: float | None
) -> None:
    here = account()
    text = (ROOT / "recipes" / "scorer-math.yaml").read_text()
    own_recipe(here, "code", text.replace("scorer: prime_math", "scorer: prime_code"))
    key = f"{UNSTARTED}{Path(file).stem}"
    body = (EXAMPLES / file).read_bytes()
    here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=body)
    here.start({"input": f"s3://{here.bucket}/{key}", "recipe": recipe})

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    found = score(here.metrics(), "base", metric)
    lines = len((EXAMPLES / file).read_bytes().splitlines())
    assert found["rows"] + found["unscored"] == lines
    assert found["estimate"] == pytest.approx(
        found["reported"]["value"] if expected is None else expected
    )


BEDROCK_ONE = """
kind: bedrock_judge
judge:
  bedrock:
    evaluator: us.anthropic.claude-sonnet-4-6
    metrics: [Correctness]
    judged: [B]
"""


@pytest.mark.slow
def test_2500_prompts_go_through_bedrock_in_three_jobs(account: Start) -> None:
    here = account()
    own_recipe(here, "one", BEDROCK_ONE)
    rows = [
        {
            "prompt": f"Question {number % 2000}?",
            "response_B": f"it is {number % 7} {number % 3}",
            "reference": f"{number % 5} {number % 3}",
        }
        for number in range(2500)
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    here.drop("many.jsonl", content, recipe="one")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    metrics = here.metrics()
    assert len(metrics["judge"]["jobs"]) == 3
    assert metrics["rows"]["judged"] == 2500
    assert set(metrics["candidates"]) == {"B"}
    found = score(metrics, "B", "Correctness")
    each = [token_f1(row["response_B"], row["reference"]) for row in rows]
    assert found["rows"] == 2500
    assert found["estimate"] == math.fsum(each) / 2500


@pytest.mark.slow
def test_more_jobs_of_bedrock_than_one_history_could_record(account: Start) -> None:
    """Forty jobs of six hours made 24,760 of an execution's 25,000 events; each is a child now."""
    here = account()
    own_recipe(here, "each", BEDROCK_ONE + "    prompts_per_job: 1\n")
    rows = [
        {"prompt": f"Question {n}?", "response_B": f"{n % 7} {n % 3}", "reference": f"{n % 5}"}
        for n in range(45)
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    here.drop("each.jsonl", content, recipe="each")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    metrics = here.metrics()
    assert len(metrics["judge"]["jobs"]) == 45
    found = score(metrics, "B", "Correctness")
    each = [token_f1(row["response_B"], row["reference"]) for row in rows]
    assert (found["rows"], found["estimate"]) == (45, math.fsum(each) / 45)


def test_a_job_of_bedrock_that_fails_fails_the_run_in_bedrock_s_words(account: Start) -> None:
    """Of a map's failed child a state machine knows that it failed; its reason has to be read."""
    here = account(judge="nobody")
    own_recipe(here, "each", BEDROCK_ONE + "    prompts_per_job: 1\n")
    row = {"response_B": "4", "reference": "4"}
    content = "".join(json.dumps({"prompt": f"2 + {n}?", **row}) + "\n" for n in range(3))
    here.drop("each.jsonl", content.encode(), recipe="each")

    (execution,) = here.ended()

    assert (execution.status, execution.error) == ("FAILED", "JudgeJobError")
    reason = execution.cause or ""
    assert reason.startswith("Bedrock evaluation job nova-judge-local-each-")
    assert " Failed. [" in reason
    assert "'nobody' cannot score single answers" in reason
    assert here.metrics()["failure"] == {"stage": "judge", "reason": reason}
    (run,) = here.runs()
    assert (run["status"], run["error"], run["cause"]) == ("FAILED", "JudgeJobError", reason)


def test_bedrock_s_judge_scores_generated_answers_on_several_metrics(account: Start) -> None:
    here = account()
    here.drop(
        "questions.jsonl", (EXAMPLES / "questions.jsonl").read_bytes(), recipe="bedrock-judge"
    )

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    metrics = here.metrics()
    assert metrics["candidates"]["B"]["name"] == "qwen2.5-7b-instruct"
    assert {entry["metric"] for entry in metrics["scores"]} == {
        "Correctness",
        "Completeness",
        "PositiveSentiment",
    }
    assert score(metrics, "A", "PositiveSentiment")["unscored"] == 54
    assert [d["metric"] for d in metrics["differences"]] == ["Correctness", "Completeness"]
    assert here.endpoints() == []


SERVERLESS = f"""
kind: serverless
judge:
  evaluate_base_model: true
  serverless:
    base_model: {LLAMA}
    model_package: {PACKAGE}
"""


def test_a_serverless_benchmark_of_a_model_package(account: Start, tmp_path: Path) -> None:
    recorded = [json.loads(line) for line in (EXAMPLES / "answers" / "nova-micro.jsonl").open()]
    renamed = {"nova-micro/prod": "llama-3-2-1b", CUSTOMISED: PACKAGE}
    rows = [row | {"model": renamed[row["model"]]} for row in recorded if row["model"] in renamed]
    here = account(answers=answers(tmp_path, *rows))
    own_recipe(here, "mine", SERVERLESS + "    evaluation: benchmark\n    benchmark: math\n")
    here.start({"recipe": "mine"})

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    metrics = here.metrics()
    assert score(metrics, "base", "exact_match")["estimate"] == pytest.approx(14 / 18)
    assert score(metrics, "customised", "exact_match")["estimate"] == pytest.approx(17 / 18)
    assert len(metrics["judge"]["jobs"]) == 2


def test_bedrock_s_judge_as_a_serverless_second_step(account: Start, tmp_path: Path) -> None:
    questions = [("What is 2+2?", "4"), ("Capital of Italy?", "Rome")]
    rows = [
        {"model": model, "prompt": prompt, "response": reference if right else "I do not know"}
        for model, right in (("llama-3-2-1b", False), (PACKAGE, True))
        for prompt, reference in questions
    ]
    here = account(answers=answers(tmp_path, *rows))
    llmaj = "    llmaj: {evaluator: us.anthropic.claude-sonnet-4-6, metrics: [Correctness]}\n"
    own_recipe(here, "mine", SERVERLESS + "    evaluation: llmaj\n" + llmaj)
    content = "".join(json.dumps({"query": q, "response": r}) + "\n" for q, r in questions)
    here.drop("mine.jsonl", content.encode(), recipe="mine")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (execution, here.log())
    metrics = here.metrics()
    assert len(here.jobs()) == 4
    assert score(metrics, "base", "Correctness")["estimate"] == 0.0
    assert score(metrics, "customised", "Correctness")["estimate"] == 1.0


UNKNOWN_SUBTASK = """
kind: benchmark
judge:
  instance_type: ml.g5.12xlarge
  nova:
    run: {model_type: "amazon.nova-micro-v1:0:128k", model_name_or_path: nova-micro/prod}
    evaluation: {task: mmlu, strategy: zs_cot, metric: accuracy, subtask: astrology}
"""


@pytest.mark.parametrize(
    ("recipe", "settings", "said"),
    [
        (
            UNKNOWN_SUBTASK,
            {},
            "Did you mean 'astronomy'?",
        ),
        (BEDROCK_ONE.replace("Correctness", "Corectness"), {}, "Did you mean 'Correctness'?"),
        (BEDROCK_ONE, {"judge": "recorded:/dev/null"}, "cannot score single answers"),
    ],
    ids=["unknown sub-task", "unknown metric", "a judge that fails"],
)
def test_what_cannot_be_run_says_why_and_leaves_no_claim(
    account: Start, recipe: str, settings: dict[str, str], said: str
) -> None:
    here = account(**settings)
    own_recipe(here, "mine", recipe)
    pair = {"prompt": "p", "response_A": "a", "response_B": "b", "reference": "b"}
    here.drop("one.jsonl", json.dumps(pair).encode(), recipe="mine")

    (execution,) = here.ended()

    assert execution.status == "FAILED"
    assert said in (execution.cause or "")
    assert [run["status"] for run in here.runs()] in ([], ["FAILED"])


def test_a_recipe_that_reads_a_file_asks_for_one(account: Start) -> None:
    here = account()
    here.start({"recipe": "own-data"})

    (execution,) = here.ended()

    assert execution.error == "RequestError"
    assert "recipe own-data reads a file" in (execution.cause or "")
