"""What one run cannot finish is refused before anything is paid."""

import pytest

from nova_judge.inputs.reading import FROM_FILE, GENERATED
from nova_judge.kinds.recipes import load_recipe
from nova_judge.preflight.input_head import InputHead
from nova_judge.preflight.reach import reach_check
from nova_judge.recipe.files import packaged_recipe

PAIRS = load_recipe(packaged_recipe("pairwise"), file="recipes/pairwise.yaml")
PAIR = b'{"prompt": "q", "response_A": "a", "response_B": "b"}\n'  # 54 bytes
QUESTION = b'{"prompt": "' + b"q" * 1_186 + b'"}\n'  # 1,200 bytes


@pytest.mark.parametrize(
    ("rows", "status", "advice"),
    [
        (3_000_000, "pass", ""),
        (10_000_000, "fail", "split the file into 4 parts, each a run of its own"),
    ],
)
def test_more_rows_than_a_report_can_hold_are_refused(rows, status, advice):
    check = reach_check(PAIRS, InputHead(PAIR * 100, len(PAIR) * rows, FROM_FILE))
    assert (check.status, check.advice) == (status, advice)
    assert check.finding.startswith(f"about {rows:,} rows with ")


@pytest.mark.parametrize(("rows", "status"), [(900_000, "pass"), (1_000_000, "fail")])
def test_the_answers_that_are_still_to_come_count_too(rows, status):
    """1,200 bytes of prompt, and two answers of half of max_tokens."""
    assert PAIRS.generation.max_tokens == 512
    check = reach_check(PAIRS, InputHead(QUESTION * 100, len(QUESTION) * rows, GENERATED))
    assert check.status == status
