"""What limits the evidence is said in page, summary and terminal: lost orders, repeats, labels."""

import itertools

import pytest

from nova_judge.findings.metrics import compute_metrics
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences_evidence import evidence, labels, lost_orders, repeats
from nova_judge.records import InputRow, JudgedRow, Judgment, Unscored, Verdict
from nova_judge.report.markdown import render_markdown
from nova_judge.report.page import render_page
from tests.made import generated

LOST = Unscored("cut off")


def run(*judged: tuple[object, object], prompts: int | None = None, labelled: tuple = ()):
    """A run of these verdicts by order; `prompts` different ones, one per row if left out.

    `labelled`: what people say of the rows, in turn.
    """
    label = itertools.cycle(labelled or (None,))
    rows = [
        JudgedRow(
            row=InputRow(
                line=line, id=str(line), prompt=str(line % (prompts or 10**6)), label=next(label)
            ),
            judgment=Judgment(forward=forward, backward=backward),
        )
        for line, (forward, backward) in enumerate(judged, start=1)
    ]
    return compute_metrics(generated.facts(len(rows)), rows, None)


@pytest.fixture
def unlimited() -> Metrics:
    return run(*[(Verdict.B, Verdict.B)] * 30)


def test_lost_orders_are_counted_and_bounded() -> None:
    metrics = run(*[(Verdict.B, Verdict.B)] * 8, (Verdict.B, LOST), (LOST, LOST))
    assert lost_orders(metrics) == (
        "1 row has a verdict in one order only and 1 in none; neither kind is evidence. Had every "
        "lost order named A, the win rate of B over all rows would be 85.0 %, had every one "
        "named B, 100.0 %."
    )


def test_repeated_prompts_are_counted() -> None:
    metrics = run(*[(Verdict.B, Verdict.B), (Verdict.A, Verdict.A)] * 15, prompts=10)
    assert repeats(metrics).startswith(
        "30 rows have 10 prompts, 10 of them more than once (up to 3 times): interval and test "
        "count prompts."
    )


def test_labels_speak_for_themselves_and_of_the_judge() -> None:
    metrics = run(*[(Verdict.B, Verdict.B)] * 30, labelled=(Verdict.B,))
    assert labels(metrics).startswith("By 30 labels alone, the win rate of B is 100.0 % (95 %")
    assert labels(metrics).endswith(": B better.")  # agreement says nothing: all name one side


def test_labels_of_both_sides_say_how_likely_their_agreement_is_by_chance() -> None:
    both = (Verdict.A, Verdict.A), (Verdict.B, Verdict.B)
    metrics = run(*both * 20, labelled=(Verdict.A, Verdict.B))
    assert "Agreement of judge and labels by chance alone: exact one-sided test" in labels(metrics)


def test_nothing_is_said_where_nothing_limits_the_evidence(unlimited: Metrics) -> None:
    assert evidence(unlimited) == []


def test_page_and_summary_say_it() -> None:
    metrics = run(*[(Verdict.B, Verdict.B)] * 8, (Verdict.B, LOST), (LOST, LOST))
    assert "neither kind is evidence" in render_page(metrics)
    assert "neither kind is evidence" in render_markdown(metrics)
