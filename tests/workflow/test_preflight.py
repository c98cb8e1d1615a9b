"""Nothing paid starts when a check fails, the budget is too small or the recipe cannot be run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nova_judge.layout import INDEX
from nova_judge.recipe.files import packaged_recipe
from tests.workflow.conftest import Account, lines

Start = Callable[..., Account]
QUESTIONS = lines(*({"prompt": f"What is {n} and {n}?", "reference": str(2 * n)} for n in range(9)))


def start_with(here: Account, recipe: str, rows: bytes = QUESTIONS) -> None:
    """Upload a recipe of our own and drop a file that asks for it."""
    here.client("s3").put_object(Bucket=here.bucket, Key="recipes/mine.yaml", Body=recipe.encode())
    here.drop("questions.jsonl", rows, recipe="mine")


def paid_for(here: Account) -> list[object]:
    runs = [key for key in here.keys("runs/") if not key.startswith(("runs/refused-", INDEX))]
    return [*here.jobs(), *here.endpoints(), *runs]


def refusal(here: Account) -> str:
    """The page that a run leaves which was refused before it was one."""
    (key,) = (key for key in here.keys("runs/refused-") if key.endswith("/report/report.md"))
    return here.read(key).decode()


def test_a_quota_of_nothing_ends_the_execution_before_anything_is_paid(account: Start) -> None:
    here = account(quotas={"ml.g5.12xlarge for training job usage": 0.0})
    here.drop("questions.jsonl", QUESTIONS)

    (execution,) = here.ended()

    assert (execution.status, execution.error) == ("FAILED", "PreflightError")
    assert "ml.g5.12xlarge for training job usage: the account may run 0" in str(execution.cause)
    assert "request an increase at https://" in str(execution.cause)
    assert paid_for(here) == []
    assert "the account may run 0" in refusal(here)


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("max_usd: 50", "max_usd: 1", "BudgetError", "above budget.max_usd $1.00"),
        (
            "instance_type: ml.g5.12xlarge",
            "instance_type: ml.g5.xlarge",
            "RecipeError",
            "Write instance_type: ml.g5.12xlarge",
        ),
    ],
)
def test_a_recipe_that_may_not_run_ends_the_execution_before_anything_is_paid(
    account: Start, old: str, new: str, error: str, words: str
) -> None:
    here = account()
    start_with(here, packaged_recipe("pairwise").replace(old, new))

    (execution,) = here.ended()

    assert (execution.status, execution.error) == ("FAILED", error)
    assert words in str(execution.cause)
    assert paid_for(here) == []


def test_the_report_holds_what_the_run_was_estimated_to_cost(
    account: Start, tmp_path: Path
) -> None:
    here = account()
    pair = {"response_A": "One.", "response_B": "Two.", "reference": "Two."}
    rows = lines(*({"prompt": f"{n}?", **pair} for n in range(4)))
    here.drop("pairs.jsonl", rows, folder=tmp_path)

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    cost = here.metrics()["cost"]
    assert cost["estimate"]["workload"]["rows"] == 4
    assert {line["part"] for line in cost["estimate"]["likely"]["lines"]} == {
        "judge",
        "Step Functions",
    }
    assert cost["actual"] is None, "a stand-in judged: nothing was paid"


def test_a_scorer_that_the_judge_role_may_not_call_is_refused(account: Start) -> None:
    here = account()
    function = "arn:aws:lambda:us-east-1:123456789012:function:SageMaker-my-scorer"
    recipe = packaged_recipe("scorer-own").replace("numeric_answer", function)
    assert function in recipe
    start_with(here, recipe, lines({"query": "2 and 2?", "response": "4"}))

    (execution,) = here.ended()

    assert execution.error == "PreflightError", execution
    assert f"may not lambda:InvokeFunction on {function}" in str(execution.cause)
    assert "scorer_functions of the stage in cdk.json" in str(execution.cause)
    assert paid_for(here) == []
