"""The anytime-valid test: scipy, the martingale, false alarms, and what it costs."""

import math

import numpy as np
import pytest
from scipy import special

from nova_judge.records import Verdict
from nova_judge.statistics.contest import (
    ANYTIME_TEST,
    contest_of_profiles,
    decisive_rate_of,
)
from nova_judge.statistics.decision import Word
from nova_judge.statistics.distributions import sign_test
from nova_judge.statistics.early_stopping import may_stop
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.findings import FIXED_SIZE, find
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.sequential import (
    CONFIDENCE_SEQUENCE,
    PRIOR,
    anytime_p_value,
    e_value,
    win_rate_anytime,
)
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from nova_judge.statistics.win_rate import WILSON, Interval, ScoreCounts
from tests.made.profiles import counts, verdict


def test_every_figure_that_can_allows_for_an_early_stop() -> None:
    rows = gather(
        EvidenceRow(side, side, category=name)
        for name in ("code", "law")
        for side in [Verdict.B] * 60 + [Verdict.A] * 20
    )
    found = find(rows, StatisticsSettings(anytime=True))
    for rate in (found.win_rate, found.win_rate_decisive, found.slices[0].win_rate):
        assert rate.method == CONFIDENCE_SEQUENCE
    assert found.slices[0].p_value == anytime_p_value(20, 60)
    assert FIXED_SIZE in found.notes
    usual = find(rows, DEFAULTS)
    assert usual.win_rate_decisive.method == WILSON
    assert usual.slices[0].p_value == sign_test(20, 60)
    assert FIXED_SIZE not in usual.notes


def test_the_rate_of_decided_rows_holds_when_the_rows_decided_when_to_stop() -> None:
    share, settings = 0.6, StatisticsSettings(anytime=True)
    drawn = np.random.default_rng(8)
    held = []
    for _ in range(300):
        wins = np.cumsum(drawn.random(600) < share)
        looks = [(n, int(wins[n - 1])) for n in range(25, 601, 25)]
        n, b = next(((n, b) for n, b in looks if anytime_p_value(n - b, b) <= 0.05), looks[-1])
        found = decisive_rate_of(contest_of_profiles(counts(AA=n - b, BB=b)), settings)
        assert isinstance(found, Interval)
        held.append(found.low <= share <= found.high)
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize(("a", "b"), [(0, 0), (3, 7), (400, 600)])
def test_the_evidence_is_the_beta_binomial_over_the_fair_coin(a: int, b: int) -> None:
    mixture = special.betaln(a + PRIOR, b + PRIOR) - special.betaln(PRIOR, PRIOR)
    assert e_value(a, b) == pytest.approx(math.exp(mixture + (a + b) * math.log(2)), rel=1e-9)
    assert e_value(a, b) == e_value(b, a)


@pytest.mark.parametrize(("a", "b"), [(0, 0), (5, 2), (40, 60)])
def test_under_a_fair_coin_the_next_row_changes_the_evidence_by_nothing(a: int, b: int) -> None:
    expected = (e_value(a + 1, b) + e_value(a, b + 1)) / 2
    assert expected == pytest.approx(e_value(a, b), rel=1e-9)


def test_looking_after_every_row_gives_few_false_alarms() -> None:
    rows, runs = 400, 1500
    alarm = {
        (n, k)
        for n in range(1, rows + 1)
        for k in range(n // 2, n + 1)
        if anytime_p_value(k, n - k) <= 0.05
    }
    least = [min((k for m, k in alarm if m == n), default=n + 1) for n in (25, 100, 400)]
    assert least[0] > 17
    wins = np.cumsum(np.random.default_rng(1).random((runs, rows)) < 0.5, axis=1)
    ever = 0
    for run in wins:
        ever += any((n, max(w, n - w)) in alarm for n, w in enumerate(run.tolist(), start=1))
    assert ever / runs <= 0.05


def test_a_true_difference_is_found_in_time() -> None:
    rng = np.random.default_rng(2)
    needed = []
    for _ in range(200):
        wins = np.cumsum(rng.random(2000) < 0.6).tolist()
        needed.append(next(n for n, w in enumerate(wins, 1) if anytime_p_value(w, n - w) <= 0.05))
    assert 185 <= np.mean(needed) <= 250


def test_huge_evidence_does_not_overflow() -> None:
    assert e_value(0, 100_000) == math.inf
    assert anytime_p_value(0, 100_000) == 0


@pytest.mark.parametrize("scores", [(3, 0, 0, 0, 7), (0, 0, 9, 0, 0), (20, 5, 9, 30, 60)])
def test_the_interval_is_mirrored_and_wider_than_one_for_a_single_look(
    scores: tuple[int, ...],
) -> None:
    found = win_rate_anytime(ScoreCounts(scores))
    turned = win_rate_anytime(ScoreCounts(scores[::-1]))
    assert isinstance(found, Interval)
    assert isinstance(turned, Interval)
    assert 0 <= found.low < found.estimate < found.high <= 1
    assert turned.low == pytest.approx(1 - found.high, abs=1e-15)


def test_the_interval_never_leaves_the_truth_out_of_more_than_one_run_in_twenty() -> None:
    rng = np.random.default_rng(4)
    shares = np.array([0.2, 0.1, 0.3, 0.1, 0.3])
    truth = float(np.arange(5) / 4 @ shares)
    left = 0
    for _ in range(200):
        seen = np.cumsum(rng.multinomial(20, shares, size=25), axis=0)
        found = [win_rate_anytime(ScoreCounts(tuple(row))) for row in seen.tolist()]
        left += any(not one.low <= truth <= one.high for one in found)
    assert left / 200 <= 0.05


def test_judging_may_stop_only_when_the_evidence_decides() -> None:
    assert may_stop(contest_of_profiles(counts(BB=30, AA=20))) is None
    assert may_stop(contest_of_profiles(ProfileCounts())) is None
    stop = may_stop(contest_of_profiles(counts(BB=60, AA=20)))
    assert stop is not None
    assert stop.startswith("B is ahead 60 to 20")
    level = contest_of_profiles(counts(BB=2000, AA=2000, tt=10_000))
    assert may_stop(level) is None
    equal = may_stop(level, StatisticsSettings(equivalence_margin=0.03))
    assert equal is not None
    assert "within 0.03 of one half" in equal


def test_ties_do_not_hide_a_difference_from_the_sequence() -> None:
    """A tie stakes nothing against one half: 60 to 20 decide among 320 ties as they do alone."""
    found = win_rate_anytime(ScoreCounts((20, 320, 60)))
    assert isinstance(found, Interval)
    assert found.low > 0.5


def test_a_run_that_may_have_stopped_is_reported_with_what_holds_then() -> None:
    settings = StatisticsSettings(anytime=True)
    assert verdict(counts(BB=35, AA=18)).word is Word.B_BETTER
    found = verdict(counts(BB=35, AA=18), settings)
    assert found.word is Word.INCONCLUSIVE
    assert found.test == ANYTIME_TEST
    assert verdict(counts(BB=60, AA=20), settings).word is Word.B_BETTER
