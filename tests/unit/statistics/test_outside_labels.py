"""A judge's rates on pairs labelled elsewhere, and the win rate that they correct."""

from dataclasses import replace

import numpy as np
import pytest

from nova_judge.records import Unscored, Verdict
from nova_judge.statistics.contest import Contest, contest_of_profiles
from nova_judge.statistics.evidence import Evidence, EvidenceRow, gather
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.outside_labels import judge_rates, rate_by_outside_labels
from nova_judge.statistics.statistics_settings import JudgeRates
from tests.made.profiles import counts, labelled


def contest(a: int, b: int) -> Contest:
    return contest_of_profiles(counts(AA=a, BB=b))


@pytest.mark.parametrize(
    ("truth", "right_a", "right_b"), [(0.5, 0.8, 0.7), (0.7, 0.9, 0.8), (0.2, 0.75, 0.85)]
)
def test_rates_of_an_outside_label_set_correct_the_run(truth, right_a, right_b) -> None:
    rng = np.random.default_rng(4)

    def draw():
        named_b = int(rng.binomial(500, truth * right_b + (1 - truth) * (1 - right_a)))
        judge = JudgeRates(rng.binomial(60, right_a), 60, rng.binomial(60, right_b), 60)
        return rate_by_outside_labels(contest(500 - named_b, named_b), judge)

    found = [draw() for _ in range(400)]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.93


def test_a_coin_corrects_nothing() -> None:
    coin = rate_by_outside_labels(contest(40, 60), JudgeRates(50, 100, 50, 100))
    assert coin == Unscored("on the labelled pairs the judge is right no more often than a coin")
    exact = rate_by_outside_labels(contest(40, 60), JudgeRates(100, 100, 100, 100))
    assert exact.estimate == pytest.approx(0.6)


def test_the_formula_is_rogan_and_gladen_s() -> None:
    """(.6 + .9 - 1) / (.8 + .9 - 1) = .714; mirrored it is 1 - .714."""
    found = rate_by_outside_labels(contest(40, 60), JudgeRates(90, 100, 80, 100))
    assert found.estimate == pytest.approx(5 / 7)
    mirror = rate_by_outside_labels(contest(60, 40), JudgeRates(80, 100, 90, 100))
    assert mirror.estimate == pytest.approx(2 / 7)
    assert (mirror.low, mirror.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_rates_are_those_of_decided_rows_by_label() -> None:
    by_label = {Outcome.A: counts(AA=30, AB=6, BB=10, ee=2), Outcome.B: counts(BB=40, AA=8, tt=2)}
    assert judge_rates(labelled(by_label)) == JudgeRates(30, 40, 40, 48)
    assert judge_rates(labelled({Outcome.A: counts(AA=30)})) is None


def test_repeated_prompts_are_worth_less() -> None:
    rows = [
        EvidenceRow(
            Verdict.A if p % 4 else Verdict.B,
            Verdict.A if p % 4 else Verdict.B,
            label=side,
            cluster=p + 1,
        )
        for side in (Verdict.A, Verdict.B)
        for p in range(20)
        for _ in range(5)
    ]
    found = judge_rates(gather(rows))
    assert found.right_of_A / found.labelled_A == pytest.approx(0.75)
    assert found.labelled_A == pytest.approx(19.0)


def reviewed(rows: int = 400, seed: int = 6) -> Evidence:
    rng = np.random.default_rng(seed)
    return gather(
        EvidenceRow(
            verdict := Verdict.A if rng.random() < 0.5 else Verdict.B,
            verdict,
            label=verdict if rng.random() < 0.8 else Verdict.A,
            probability=float(rng.choice([1.0, 0.5, 0.25])),
        )
        for _ in range(rows)
    )


def test_drawn_rows_count_one_over_their_probability() -> None:
    rows = reviewed()
    found = judge_rates(rows)
    for side, right, labelled_rows in (
        (Outcome.A, found.right_of_A, found.labelled_A),
        (Outcome.B, found.right_of_B, found.labelled_B),
    ):
        at = rows.labels == side
        weights = 1.0 / rows.probabilities[at]
        hits = rows.forward[at] == side
        assert right / labelled_rows == pytest.approx((weights @ hits) / weights.sum())
        kish = weights.sum() ** 2 / (weights @ weights)
        assert 0.5 * kish < labelled_rows <= kish + 1e-9


def test_equal_probabilities_are_worth_what_the_rows_are() -> None:
    rows = reviewed()
    equal = replace(rows, probabilities=np.full(rows.rows, 0.25))
    undrawn = replace(rows, probabilities=np.full(rows.rows, np.nan))
    found, plain = judge_rates(equal), judge_rates(undrawn)
    assert found.right_of_A == pytest.approx(plain.right_of_A)
    assert found.labelled_B == pytest.approx(plain.labelled_B)


def test_a_draw_that_prefers_wrong_rows_leaves_the_rates_of_all() -> None:
    rng = np.random.default_rng(9)
    rows = reviewed(6000)
    right = rows.forward == rows.labels
    chance = np.where(right, 0.2, 0.6)
    sample = replace(rows, probabilities=chance).where(rng.random(6000) < chance)
    every, found = (
        judge_rates(replace(rows, probabilities=np.full(6000, np.nan))),
        judge_rates(sample),
    )
    share = every.right_of_A / every.labelled_A
    assert found.right_of_A / found.labelled_A == pytest.approx(share, abs=0.04)
