"""A panel's verdict, weights and agreement, by definition and on published verdicts."""

import csv
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from nova_judge.findings.panel_findings import combined_over_both, panel_findings
from nova_judge.kinds.recipes import load_recipe
from nova_judge.statistics.agreement import summed_verdicts
from nova_judge.statistics.beyond_chance import nominal_alpha
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.panel import (
    PanelVotes,
    combined,
    weights_by_labels,
)
from nova_judge.statistics.statistics_settings import StatisticsSettings

A, B, TIE, NONE = Outcome.A, Outcome.B, Outcome.TIE, Outcome.ERROR
FILE = Path(__file__).resolve().parents[2] / "data/published/judgebench-panel/verdicts.csv"
JUDGES = ("o1_mini", "skywork_8b", "internlm2_20b")
CODES = {"A>B": A, "B>A": B, "A=B": TIE, "": NONE}
TURNED = {A: B, B: A, TIE: TIE, NONE: NONE}


def codes(*rows):
    return np.array(rows, dtype=np.uint8)


@pytest.mark.parametrize(
    ("given", "weights", "verdict"),
    [
        ((A, A, B), (1, 1, 1), A),
        ((A, B, TIE), (1, 1, 1), TIE),
        ((A, A, TIE), (1, 1, 1), A),
        ((A, B, NONE), (1, 1, 1), TIE),
        ((B, NONE, B), (1, 1, 1), B),
        ((B, NONE, NONE), (1, 1, 1), NONE),
        ((NONE, NONE, NONE), (1, 1, 1), NONE),
        ((A, B, B), (2.5, 1, 1), A),
        ((A, B, B), (2, 1, 1), TIE),
        ((A, NONE, B), (0, 1, 0), NONE),
    ],
)
def test_the_verdict_with_the_most_weight_and_a_tie_where_two_have_it(given, weights, verdict):
    assert combined(codes(given), np.array(weights, dtype=float)).tolist() == [verdict]


def test_alpha_is_krippendorffs():
    # By his definition: pairs of verdicts within a row, each row weighed by one less than it has.
    told = [
        (A, A, NONE, A),
        (B, B, TIE, B),
        (TIE, TIE, TIE, TIE),
        (TIE, TIE, TIE, TIE),
        (B, B, B, B),
        (A, B, TIE, NONE),
        (A, A, A, A),
        (B, B, B, B),
        (NONE, NONE, NONE, A),
    ]
    pairs = []
    for row in told:
        given = [code for code in row if code is not NONE]
        if len(given) > 1:
            for place, one in enumerate(given):
                pairs += [
                    (one, other, 1 / (len(given) - 1))
                    for at, other in enumerate(given)
                    if at != place
                ]
    total = sum(weight for *_, weight in pairs)
    margin = Counter()
    for one, _, weight in pairs:
        margin[one] += weight
    observed = sum(weight for one, other, weight in pairs if one != other)
    expected = sum(margin[c] * (total - margin[c]) for c in margin) / (total - 1)
    said = [[verdict for verdict in row if verdict != NONE] for row in told]
    assert nominal_alpha(said) == pytest.approx(1 - observed / expected)


def test_weights_are_log_odds_learnt_on_other_prompts():
    right = codes(*[(A, A, B)] * 15, *[(A, B, B)] * 10)
    labels = codes([A] * 25)[0]
    keys = np.arange(1, 26, dtype=np.uint64)
    weights = weights_by_labels(right, labels, keys)
    # of the 24 others: the first judge is right on all, the second on 14 or 15, the third on none
    assert weights[0].tolist() == pytest.approx([math.log(25), math.log(15 / 11), 0.0])
    assert weights[24].tolist() == pytest.approx([math.log(25), math.log(16 / 10), 0.0])
    assert weights_by_labels(right[:19], labels[:19], keys[:19]) is None
    alike = weights_by_labels(right, labels, np.ones(25, dtype=np.uint64))
    assert alike is None  # one prompt: nothing is known of any other


def published():
    with FILE.open() as file:
        rows = list(csv.DictReader(file))
    forward = codes(*[[CODES[row[f"{judge}_forward"]] for judge in JUDGES] for row in rows])
    backward = codes(
        *[[TURNED[CODES[row[f"{judge}_backward"]]] for judge in JUDGES] for row in rows]
    )
    labels = codes([CODES[row["label"]] for row in rows])[0]
    keys = np.array([int(row["prompt"], 16) for row in rows], dtype=np.uint64)
    lines = tuple(range(1, len(rows) + 1))
    return rows, PanelVotes(JUDGES, lines, forward, backward, labels, keys, None)


def by_hand(rows, judge):
    """Rows whose label a judge names over both orders, by JudgeBench's own rule."""
    named = 0
    for row in rows:
        worth = {"A>B": 1, "B>A": -1}
        lead = worth.get(row[f"{judge}_forward"], 0) - worth.get(row[f"{judge}_backward"], 0)
        named += lead * worth[row["label"]] > 0
    return named


def panel_by_hand(rows):
    """The same for the majority of three in each order."""
    named = 0
    for row in rows:
        lead = 0
        for order, sign in (("forward", 1), ("backward", -1)):
            votes = Counter(row[f"{judge}_{order}"] for judge in JUDGES)
            given = {verdict: count for verdict, count in votes.items() if verdict}
            most = max(given.values(), default=0)
            leaders = [verdict for verdict, count in given.items() if count == most]
            if sum(given.values()) >= 2 and len(leaders) == 1:
                lead += sign * {"A>B": 1, "B>A": -1, "A=B": 0}[leaders[0]]
        named += lead * {"A>B": 1, "B>A": -1}[row["label"]] > 0
    return named


def test_three_published_judges_and_their_panel_name_as_many_labels_as_counted_by_hand():
    rows, votes = published()
    both = summed_verdicts(votes.forward, votes.backward)
    alone = {judge: by_hand(rows, judge) for judge in JUDGES}
    for place, judge in enumerate(JUDGES):
        assert int((both[:, place] == votes.labels).sum()) == alone[judge]
    # JudgeBench publishes 65.71, 62.29 and 63.43 % for them.
    assert [round(alone[judge] / 3.5, 2) for judge in JUDGES] == [65.71, 62.29, 63.43]
    right = int((combined_over_both(votes) == votes.labels).sum())
    assert right == panel_by_hand(rows)
    settings = StatisticsSettings()
    members = "".join(f"    {judge}: {{bedrock: some.{judge}}}\n" for judge in JUDGES)
    recipe = load_recipe(f"kind: model_judge\njudge:\n  panel:\n{members}", file="x.yaml")
    found = panel_findings(votes, recipe, [(10, 5)] * 3, settings)
    assert found.accuracy.estimate == pytest.approx(right / 350)
    assert found.accuracy.low < right / 350 < found.accuracy.high
    assert found.unanimous + found.split <= 350
    assert found.alpha == nominal_alpha(row[row < NONE].tolist() for row in both)
    assert [judge.accuracy.estimate for judge in found.judges] == [
        pytest.approx(alone[judge] / 350) for judge in JUDGES
    ]
    assert (found.rule, found.labelled, found.judges[0].usd) == ("majority", 350, None)


def test_learnt_weights_on_the_published_verdicts_follow_the_better_judge():
    _, votes = published()
    weights = weights_by_labels(
        summed_verdicts(votes.forward, votes.backward), votes.labels, votes.keys
    )
    assert weights is not None
    assert (weights > 0).all()
    mean = weights.mean(axis=0)
    assert mean[0] > mean[2] > mean[1]
