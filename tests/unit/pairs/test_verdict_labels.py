import json
from pathlib import Path

import pytest

from nova_judge.pairs.verdict_labels import (
    CONFLICT,
    CUT_OFF,
    LABELS,
    NO_LABEL,
    NO_OUTPUT,
    parse_verdict,
    turned,
)
from nova_judge.records import Unscored, Verdict

HAIKU = Path(__file__).parents[4] / "shared/data/judgebench-claude-3-haiku/judgments.jsonl"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My verdict: [[A>B]]", Verdict.A),
        ("[[B>A]]", Verdict.B),
        ("[[A=B]]", Verdict.TIE),
        ("[[B=A]]", Verdict.TIE),
        ("[[A=B (bothbad)]]", Verdict.BOTH_BAD),
        ("[[A=B (bothbad)]", Verdict.BOTH_BAD),
        ("[[A=B(both bad)]]", Verdict.BOTH_BAD),
        ("[[ a > b ]]", Verdict.A),
        ("[[A>>B]]", Verdict.A),
        ("[[B>>A]]", Verdict.B),
        ("[[A<B]]", Verdict.B),
        ("[[A<<B]]", Verdict.B),
        ("[['A>B']]", Verdict.A),
        ("[[B&gt;A]]", Verdict.B),
        ("[[A>B]] and again [[A>B]]", Verdict.A),
        ("[[A>B]] which is [[B<A]]", Verdict.A),
        ("for (i) x[[A[i] then [[A=B]]", Verdict.TIE),
        ("```yaml\npreference: '[[B>A]]'\n```", Verdict.B),
        ("```\nA>B\n```", Verdict.A),
        ("B>A", Verdict.B),
        ("'A=B'", Verdict.TIE),
        ("['A>B']", Verdict.A),
        ("criteria: x\noverall_preference: A=B (bothbad)\n", Verdict.BOTH_BAD),
        ("**Final verdict:** B>A", Verdict.B),
    ],
)
def test_labels_in_every_form_that_occurs(text, expected):
    assert parse_verdict(text) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, NO_OUTPUT),
        ("", NO_OUTPUT),
        (" \n", NO_OUTPUT),
        ("Both are good.", NO_LABEL),
        ("If A=B then the loop ends.", NO_LABEL),
        ("[[A>A]]", NO_LABEL),
        ("[[A>B (bothbad)]]", NO_LABEL),
        ("[[C]]", NO_LABEL),
        ("so my verdict is [[A", CUT_OFF),
        ("so my verdict is [[A=B (both", CUT_OFF),
        ("[[A>B]] no, [[B>A]]", CONFLICT),
        ("[[A>B]] or rather [[A>>B]]", CONFLICT),
        ("[[A=B]] or [[A=B (bothbad)]]", CONFLICT),
        ("verdict: A>B\npreference: B>A", CONFLICT),
    ],
)
def test_what_is_no_verdict_says_why(text, reason):
    assert parse_verdict(text) == reason


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_label_reads_back_and_turning_twice_changes_nothing(verdict):
    assert parse_verdict(f"Therefore {LABELS[verdict]}.") is verdict
    assert turned(turned(verdict)) is verdict


def test_turning_swaps_the_winner_and_nothing_else():
    assert [turned(verdict) for verdict in Verdict] == ["B", "A", "tie", "both_bad"]
    assert turned(NO_LABEL) == NO_LABEL


def test_a_long_text_is_read_in_linear_time():
    assert parse_verdict("[[A" * 200_000 + "verdict " * 200_000 + "[[B>A]]") is Verdict.B
    assert isinstance(parse_verdict("judge " * 500_000), Unscored)


@pytest.mark.skipif(not HAIKU.exists(), reason="the JudgeBench outputs are not here")
@pytest.mark.parametrize(("order", "errors"), [("forward", 11), ("backward", 2)])
def test_real_judge_outputs_read_as_published(order, errors):
    published = {"A>B": Verdict.A, "B>A": Verdict.B, "A=B": Verdict.TIE}
    rows = [json.loads(line) for line in HAIKU.read_text().splitlines()]
    parsed = [parse_verdict(row[f"{order}_output"]) for row in rows]
    for row, verdict in zip(rows, parsed, strict=True):
        if row[order] is None:
            assert isinstance(verdict, Unscored)
        else:
            assert verdict is published[row[order]]
    assert sum(isinstance(verdict, Unscored) for verdict in parsed) == errors
