import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("numeric_answer", Path("scorers/numeric_answer.py"))
scorer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(scorer)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is 42", [42]),
        ("It is \u22125", [-5]),
        ("a = -7.", [-7]),
        ("between 5-10", [5, 10]),
        ("5\u201310", [5, 10]),
        ("T-5", [5]),
        (".5", [0.5]),
        ("-.5", [-0.5]),
        ("1e-5", [1e-5]),
        ("3.5e3", [3500]),
        ("3,14", [3.14]),
        ("1,000", [1000]),
        ("1,000.5", [1000.5]),
        ("1.234,5", [1234.5]),
        ("1.000.000", [1_000_000]),
        ("1 000 000", [1_000_000]),
        ("1'000", [1000]),
        ("1\u2019000", [1000]),
        ("5 m2", [5]),
        ("42 [1]", [42]),
        ("18.", [18]),
        ("$18.00", [18]),
        ("50%", [50]),
        ("CO2", []),
        ("1, 2, 3", [1, 2, 3]),
        ("答案是42。", [42]),
        ("Paris", []),
    ],
)
def test_numbers_are_read_with_sign_separators_and_exponent(text, numbers):
    assert scorer.numbers(text) == numbers


def test_an_answer_without_a_number_is_wrong_and_a_reference_without_one_does_not_apply():
    assert scorer.score("I do not know", "5")["right_number"] == 0
    assert scorer.score("It is 5.", "5") == {"right_number": 1, "one_sentence": 1}
    with pytest.raises(ValueError, match="not applicable"):
        scorer.score("Paris", "Paris")
