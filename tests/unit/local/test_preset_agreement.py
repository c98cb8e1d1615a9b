"""The stand-ins against the originals' verdicts on answers of our own."""

import json
from pathlib import Path

import pytest

from nova_judge.records import Unscored
from nova_judge_local.container.preset_scorers import preset_scores

DATA = Path("tests/data/preset_scorers")

OTHER_MATH = {
    "(-\\infty,2)": "verl drops the brackets of an interval",
    "2^8": "verl evaluates no power of this form",
    "54940": "verl compares whole numbers to 1e-4 of their size",
    "0.00000001": "verl compares to whole digits below 1e-7",
    "The answer is Yes.": "verl wants a digit in the last sentence",
    "\u22125": "verl does not know the minus sign U+2212",
    "$.": "verl keeps the full stop behind the last dollar sign",
    "\\{2,1\\}": "verl compares sets in order",
    "\\boxed{5}": "verl reads no sentence as reference",
    "答案是42。": "verl reads English sentences only",
}
OTHER_CODE = {
    "py tag": "verl knows the fence ```python only",
    "bare fence": "verl knows the fence ```python only",
    "tags: stdin_buffer": "verl replaces sys.stdin by an object without a buffer",
    "tags: exit_after": "verl takes exit() away",
    "tags: list_inputs": "verl joins no lists of lines in its error message",
    "tags: fn_args_list": "verl reads arguments from texts only",
}


def rows(name):
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()]


def differing(name, metric, held, seconds=20):
    scores = preset_scores(name, held, seconds)
    return [
        row
        for row, score in zip(held, scores, strict=True)
        if (0 if isinstance(score, Unscored) else int(score[metric])) != row["verl"]
    ]


def test_math_agrees_with_the_original_but_for_listed_kinds():
    held = rows("math")
    others = differing("prime_math", "score", held)
    assert len(held) == 814
    assert len(others) <= 0.02 * len(held)
    for row in others:
        assert any(part in row["answer"] for part in OTHER_MATH), row


@pytest.mark.slow
def test_programs_agree_with_the_original_but_for_listed_kinds():
    held = rows("code")
    endless = [row for row in held if row["name"] == "hang"]
    ending = [row for row in held if row["name"] != "hang"]
    others = differing("prime_code", "prime_code", ending)
    others += differing("prime_code", "prime_code", endless, seconds=1)
    assert (len(held), len(endless)) == (319, 1)
    assert len(others) <= 0.02 * len(held)
    assert {row["name"] for row in others} <= OTHER_CODE.keys()
