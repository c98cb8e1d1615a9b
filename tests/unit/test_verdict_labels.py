import json

import pytest

from nova_judge.records import Unscored, Verdict
from nova_judge.verdict_labels import (
    CONFLICT,
    CUT_OFF,
    CUT_OFF_THOUGHT,
    LABELS,
    NO_LABEL,
    NO_OUTPUT,
    ONLY_A_THOUGHT,
    ends_early,
    parse_verdict,
    turned,
)
from tests.made.profiles import HAIKU


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
        (r"\[\[A>B\]\]", Verdict.A),
        (r"\[\[B\>A\]\]", Verdict.B),
        (r"[[B \gt A]]", Verdict.B),
        (r'{"verdict": "[[B\u003eA]]"}', Verdict.B),
        ("[[A&amp;gt;B]]", Verdict.A),
        ("[[A&#x3C;B]]", Verdict.B),
        ("[[A%3EB]]", Verdict.A),
        ("[[B\uff1eA]]", Verdict.B),
        ("\uff3b\uff3b\uff21\uff1d\uff22\uff3d\uff3d", Verdict.TIE),
        ("【【B>A】】", Verdict.B),
        ("[[“A>B”]]", Verdict.A),
        ("Вердикт: [[\u0412>\u0410]]", Verdict.B),
        ("[[\u03b1>\u03b2]]", Verdict.A),
        ("[[**B>A**]]", Verdict.B),
        ("[[A\u200b>B]]", Verdict.A),
        ("[[A≻B]]", Verdict.A),
        ("[[A==B]]", Verdict.TIE),
        (r"$\boxed{B>A}$", Verdict.B),
        ("[[A]]", Verdict.A),
        ("so the better one is [[B]].", Verdict.B),
        ("[[C]]", Verdict.TIE),
        ("[[Response A > Response B]]", Verdict.A),
        ("[[Assistant B]]", Verdict.B),
        ("[[Tie]]", Verdict.TIE),
        ("`B>A`", Verdict.B),
        ("The verdict is A>B.", Verdict.A),
        ("My final verdict is: **B>A**", Verdict.B),
        ("The winner is Response B, because it names the source.", Verdict.B),
        ("The better answer is A.", Verdict.A),
        ("Verdict: tie", Verdict.TIE),
        ('{"reason": "r", "verdict": "A>B"}', Verdict.A),
        ('```json\n{"winner": "model_b", "reason": "A is short"}\n```', Verdict.B),
        ("winner: model_a", Verdict.A),
        ("<verdict>B</verdict>", Verdict.B),
        ("B is slower.\n\nA>B", Verdict.A),
        ("A", Verdict.A),
        ("B.", Verdict.B),
        ("model_a", Verdict.A),
        ("model_b", Verdict.B),
        ("tie", Verdict.TIE),
        ("TIE", Verdict.TIE),
        ("tie (bothbad)", Verdict.BOTH_BAD),
        ("both_bad", Verdict.BOTH_BAD),
        ("A=B (bothbad)", Verdict.BOTH_BAD),
        ("A>>B", Verdict.A),
        ("<think>At first [[A>B]].</think>\n\nNo: [[B>A]]", Verdict.B),
        ("[[A>B]] I think.</think>\n[[B>A]]", Verdict.B),
        ("Verdict: a tie", Verdict.TIE),
        ('{"not_preferred": "A", "preferred": "B"}', Verdict.B),
        ("[[A draw]]", Verdict.TIE),
        ('{"winner": "a tie"}', Verdict.TIE),
        ("[[A=B (both good)]]", Verdict.TIE),
        ("both good", Verdict.TIE),
        ("## Final verdict: A>B\n\nIt names the source.", Verdict.A),
        ("1. Verdict: B>A", Verdict.B),
        ("[[\u200fA>B\u200f]]", Verdict.A),
        ("x\nA>B\n\nA>B", Verdict.A),
        ("Last but not least the verdict: A", Verdict.A),
        ("While not perfect the winner is A.", Verdict.A),
        ("Verdict --> A>B", Verdict.A),
        ("preference: A>B\r\nreason: it names the source\r\n", Verdict.A),
        ('{"clarity_verdict": "B", "accuracy_verdict": "A", "verdict": "[[A>B]]"}', Verdict.A),
        ('{"clarity": {"verdict": "B"}, "verdict": "[[A>B]]"}', Verdict.A),
        ('{"clarity": {"preference": "B"}}\n\n[[A>B]]', Verdict.A),
        ('Response A ends with {"label": "B"}, as asked. [[A>B]]', Verdict.A),
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
        ("[[D]]", NO_LABEL),
        ("[[5]]", NO_LABEL),
        ("Verdict options: A>B, B>A or A=B", NO_LABEL),
        ("A decides, B follows.", NO_LABEL),
        ("The decision is a hard one.", NO_LABEL),
        ("Response A's choice: B", NO_LABEL),
        ('{"verdict": "A>B", "second_verdict": "B>A"}', CONFLICT),
        ("<think>I lean to [[A>B]] for now, let me", CUT_OFF_THOUGHT),
        ("<think>[[A>B]]</think>", ONLY_A_THOUGHT),
        ("<think>[[A>B]]</think> I cannot say.", NO_LABEL),
        ("<think>x</think> so [[A", CUT_OFF),
        ("[[A]] or [[B]]", CONFLICT),
        ("so my verdict is [[A", CUT_OFF),
        ("so my verdict is [[A=B (both", CUT_OFF),
        ("[[A>B]] no, [[B>A]]", CONFLICT),
        ("[[A>B]] or rather [[A>>B]]", CONFLICT),
        ("[[A=B]] or [[A=B (bothbad)]]", CONFLICT),
        ("verdict: A>B\npreference: B>A", CONFLICT),
        ("The preferred option A > B", NO_LABEL),
        ("Not preferred: A", NO_LABEL),
        ("Least preferred answer: A", NO_LABEL),
        ("The answer that is not the preferred: A", NO_LABEL),
        ("Dispreferred: A", NO_LABEL),
        ('{"unpreferred": "A"}', NO_LABEL),
        ("A>B\nB>A", CONFLICT),
        ("A\nB", NO_LABEL),
        ("<verdict>A</verdict> or [[B>A]]", CONFLICT),
        ('{"final_verdict": "A", "reasons": "Some say "[[B>A]]" here"}', CONFLICT),
        ("[[A>B (tie)]]", NO_LABEL),
        ('{"verdicts": ["A>B", "B>A"]}', NO_LABEL),
        ('{"verdict": "A', NO_LABEL),
    ],
)
def test_what_is_no_verdict_says_why(text, reason):
    assert parse_verdict(text) == reason


@pytest.mark.parametrize(
    ("text", "early"),
    [
        ("One could say [[A>B]] at first sight. However, when we look clo", True),
        ("[[A>B]] because of the following,", True),
        ("Reasons first.\n\n[[A>B]]", False),
        ("[[A>B]] is my verdict.", False),
        ('"preference": "[[A>B]]"\n```', False),
        ("no label at all, and then", True),
    ],
)
def test_a_text_that_stops_in_a_sentence_after_its_label_ends_early(text, early):
    assert ends_early(text) is early


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


@pytest.mark.parametrize(("order", "errors"), [("forward", 11), ("backward", 2)])
def test_real_judge_outputs_read_as_published(order, errors):
    published = {"A>B": Verdict.A, "B>A": Verdict.B, "A=B": Verdict.TIE}
    rows = [
        json.loads(line) for line in (HAIKU / "judgments.jsonl").read_text("utf-8").splitlines()
    ]
    parsed = [parse_verdict(row[f"{order}_output"]) for row in rows]
    for row, verdict in zip(rows, parsed, strict=True):
        if row[order] is None:
            assert isinstance(verdict, Unscored)
        else:
            assert verdict is published[row[order]]
    assert sum(isinstance(verdict, Unscored) for verdict in parsed) == errors
