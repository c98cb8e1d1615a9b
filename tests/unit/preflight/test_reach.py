"""What one run cannot finish is refused before anything is paid."""

import pytest

from nova_judge.inputs.reading import FROM_FILE, GENERATED
from nova_judge.kinds.recipes import load_recipe
from nova_judge.preflight.forecast import reach_check
from nova_judge.preflight.input_head import InputHead
from nova_judge.recipe.files import packaged_recipe

PAIRS = load_recipe(packaged_recipe("pairwise"), file="recipes/pairwise.yaml")
PAIR = b'{"prompt": "q", "response_A": "a", "response_B": "b"}\n'  # 54 bytes
QUESTION = b'{"prompt": "' + b"q" * 1_186 + b'"}\n'  # 1,200 bytes


SPLIT = "split the file into {} parts, each a run of its own"
JOBS = "write judge.max_rows_per_job: 2500000 or less into the recipe"


@pytest.mark.parametrize(
    ("text", "rows", "status", "advice"),
    [
        ("", 2_500_000, "pass", ""),
        ("", 3_000_000, "fail", JOBS),
        ("judge:\n  max_rows_per_job: 1000000\n", 10_000_000, "pass", ""),
        ("judge:\n  max_rows_per_job: 4000000\n", 10_000_000, "fail", JOBS),
        ("judge:\n  max_rows_per_job: 1000000\n", 11_000_000, "fail", SPLIT.format(2)),
        ("stop: when_decided\njudge:\n  max_rows_per_job: 1000000\n", 3_000_000, "pass", ""),
        (
            "stop: when_decided\njudge:\n  max_rows_per_job: 1000000\n",
            10_000_000,
            "fail",
            SPLIT.format(4),
        ),
    ],
)
def test_more_rows_than_a_report_can_hold_are_refused(text, rows, status, advice):
    recipe = packaged_recipe("pairwise").replace("judge:\n", text or "judge:\n")
    asked = load_recipe(recipe, file="recipes/own.yaml")
    check = reach_check(asked, InputHead(PAIR * 100, len(PAIR) * rows, FROM_FILE))
    assert (check.status, check.advice) == (status, advice)
    assert check.finding.startswith(f"about {rows:,} rows with ")


def test_rubrics_take_more_of_each_row():
    asked = load_recipe(packaged_recipe("rubric"), file="recipes/rubric.yaml")
    check = reach_check(asked, InputHead(PAIR * 100, len(PAIR) * 4_000_000, FROM_FILE))
    assert check.advice == SPLIT.format(2)


@pytest.mark.parametrize(("rows", "status"), [(900_000, "pass"), (1_000_000, "fail")])
def test_the_answers_that_are_still_to_come_count_too(rows, status):
    """1,200 bytes of prompt, and two answers of half of max_tokens."""
    assert PAIRS.generation.max_tokens == 512
    check = reach_check(PAIRS, InputHead(QUESTION * 100, len(QUESTION) * rows, GENERATED))
    assert check.status == status
