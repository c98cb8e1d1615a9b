"""Win rates and their intervals: definitions, scipy and statsmodels, mirrors, coverage."""

import math

import msgspec
import numpy as np
import pytest
from scipy import stats

from nova_judge.records import Unscored
from nova_judge.statistics.contest import contest_of, standard_error_of, win_rate_of
from nova_judge.statistics.dirichlet_mean import mean_cdf
from nova_judge.statistics.evidence import Basis, EvidenceRow, gather
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.win_rate import (
    Interval,
    ScoreCounts,
    equivalence_interval,
    percentile_bootstrap,
    score_interval,
    scores_of_profiles,
    standard_error,
    wilson,
)
from tests.made.profiles import counts, random_counts


def test_the_win_rate_is_the_mean_over_rows_ties_as_half() -> None:
    found = score_interval(scores_of_profiles(counts(BB=3, AA=1, AB=2, tt=1, Be=1, ee=5)))
    assert isinstance(found, Interval)
    assert found.estimate == pytest.approx((3 + 0 + 1 + 0.5) / 7, abs=1e-15)


@pytest.mark.parametrize(
    ("wins", "trials"), [(7, 10), (10, 26), (0, 4), (5, 5), (1, 2), (333, 999)]
)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_is_that_of_statsmodels(wins: int, trials: int, level: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    found = wilson(wins, trials, level)
    assert isinstance(found, Interval)
    expected = proportion_confint(wins, trials, alpha=1 - level, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)


def test_the_published_example_recomputes_to_what_the_contract_says() -> None:
    found = wilson(10, 26)
    assert isinstance(found, Interval)
    ends = (found.estimate, found.low, found.high)
    assert [round(share, 4) for share in ends] == [0.3846, 0.2243, 0.5747]


@pytest.mark.parametrize("wins_losses", [(7, 3), (40, 2), (500, 700), (3, 0)])
def test_without_ties_the_weights_are_jeffreys_interval(wins_losses: tuple[int, int]) -> None:
    wins, losses = wins_losses
    found = score_interval(ScoreCounts((losses, 0, 0, 0, wins)))
    assert isinstance(found, Interval)
    low, high = stats.beta.ppf([0.025, 0.975], wins + 0.5, losses + 0.5)
    assert found.low == pytest.approx(low, abs=1e-8)
    assert found.high == pytest.approx(high if losses else 1.0, abs=1e-8)


@pytest.mark.parametrize("rows", [1, 17, 1_000, 1_000_000])
def test_with_ties_alone_the_bounds_of_equivalence_are_those_of_a_beta(rows: int) -> None:
    found = equivalence_interval(ScoreCounts((0, 0, rows, 0, 0)))
    assert isinstance(found, Interval)
    high = 0.5 + 0.5 * stats.beta.ppf(0.95, 1, rows)
    assert (found.low, found.high) == pytest.approx((1 - high, high), abs=1e-7)
    assert found.level == pytest.approx(0.9)


@pytest.mark.parametrize("seed", range(20))
def test_the_bounds_of_equivalence_hold_the_estimate_and_mirror(seed: int) -> None:
    scores = scores_of_profiles(random_counts(seed))
    found, mirror = equivalence_interval(scores), equivalence_interval(scores.mirrored())
    if isinstance(found, Unscored) or isinstance(mirror, Unscored):
        assert found == mirror
        return
    assert found.low <= found.estimate <= found.high
    assert mirror.high == pytest.approx(1 - found.low, abs=1e-15)


def test_the_distribution_is_that_of_drawn_dirichlet_weights() -> None:
    values, weights = np.arange(5) / 4, np.array([3.5, 1.0, 6.0, 2.0, 8.5])
    drawn = np.random.default_rng(1).dirichlet(weights, 400_000) @ values
    for threshold in (0.45, 0.55, 0.65, 0.75):
        assert mean_cdf(threshold, values, weights) == pytest.approx(
            float((drawn <= threshold).mean()), abs=0.003
        )


@pytest.mark.parametrize("heavy", [10, 1_000, 100_000])
def test_the_distribution_is_right_for_lopsided_counts(heavy: int) -> None:
    for probability in (0.025, 0.5, 0.975):
        threshold = stats.beta.ppf(probability, heavy + 0.5, 3.5)
        found = mean_cdf(threshold, np.array([0.0, 1.0]), np.array([3.5, heavy + 0.5]))
        assert found == pytest.approx(probability, abs=1e-4)


@pytest.mark.parametrize(
    "scores",
    [(0, 0, 5, 0, 0), (1, 0, 0, 0, 0), (0, 0, 0, 0, 10**6), (0, 10, 0, 0, 0), (1, 0, 0, 0, 1)],
)
def test_no_interval_has_zero_width_or_leaves_its_estimate_out(scores: tuple[int, ...]) -> None:
    found = score_interval(ScoreCounts(scores))
    assert isinstance(found, Interval)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.high > found.low


@pytest.mark.parametrize("seed", range(40))
def test_exchanging_the_candidates_mirrors_every_bit(seed: int) -> None:
    profiles = random_counts(seed)
    scores, turned = scores_of_profiles(profiles), scores_of_profiles(profiles.mirrored())
    if not scores.rows:
        return
    for interval in (score_interval, lambda s: wilson(s.counts[-1], s.counts[0] + s.counts[-1])):
        found, mirror = interval(scores), interval(turned)
        if isinstance(found, Unscored) or isinstance(mirror, Unscored):
            assert found == mirror
            continue
        if found.estimate == 0.5:
            assert turned_about(found).low == pytest.approx(mirror.low, abs=1e-16)
        assert mirror in (found, turned_about(found)) or turned_about(mirror) == found


def turned_about(found: Interval) -> Interval:
    """What is seen from A's side; one of two mirrored intervals is exactly this of the other."""
    return msgspec.structs.replace(
        found, estimate=1 - found.estimate, low=1 - found.high, high=1 - found.low
    )


def test_standard_error_is_that_of_the_scores() -> None:
    scores = np.repeat(np.arange(5) / 4, [3, 1, 4, 1, 5])
    assert standard_error(ScoreCounts((3, 1, 4, 1, 5))) == pytest.approx(stats.sem(scores))
    assert standard_error(ScoreCounts((0, 0, 1, 0, 0))) is None


def test_the_bootstrap_has_the_distribution_of_resampled_rows() -> None:
    scores = ScoreCounts((12, 3, 7, 4, 30))
    rows = np.repeat(np.arange(5) / 4, scores.counts)
    rng = np.random.default_rng(5)
    naive = np.array([rng.choice(rows, len(rows)).mean() for _ in range(20_000)])
    found = percentile_bootstrap(scores, resamples=200_000)
    assert isinstance(found, Interval)
    assert [found.low, found.high] == pytest.approx(np.quantile(naive, [0.025, 0.975]), abs=0.006)


def test_the_bootstrap_is_seeded() -> None:
    scores = ScoreCounts((12, 3, 7, 4, 30))
    assert percentile_bootstrap(scores, seed=4) == percentile_bootstrap(scores, seed=4)


def test_preferences_keep_their_exact_mean_and_standard_error() -> None:
    given = np.random.default_rng(2).beta(0.3, 0.6, 800).tolist()
    contest = contest_of(gather(EvidenceRow(preference=p) for p in given), Basis.PREFERENCE)
    found = win_rate_of(contest)
    assert isinstance(found, Interval)
    assert found.estimate == math.fsum(given) / len(given)
    assert standard_error_of(contest) == pytest.approx(stats.sem(given))
    wald = 1.96 * stats.sem(given)
    assert found.high - found.low == pytest.approx(2 * wald, rel=0.02)
    turned = gather(EvidenceRow(preference=p) for p in given[::-1])
    assert win_rate_of(contest_of(turned, Basis.PREFERENCE)) == found


def test_without_a_judged_row_there_is_a_reason_and_no_number() -> None:
    assert score_interval(scores_of_profiles(ProfileCounts())) == Unscored("no row was judged")
    assert score_interval(scores_of_profiles(counts(ee=4))) == Unscored("no row was judged")
    assert isinstance(wilson(0, 0), Unscored)
    assert isinstance(percentile_bootstrap(ScoreCounts((0, 0, 0))), Unscored)
    empty = contest_of(gather([EvidenceRow()]), Basis.PREFERENCE)
    assert isinstance(win_rate_of(empty), Unscored)


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 10, 50, 200])
def test_the_interval_keeps_its_level_with_few_prompts(n: int) -> None:
    rng = np.random.default_rng(n)
    coverage = []
    for shares in ([0.5, 0, 0, 0, 0.5], [0.25, 0.1, 0.3, 0.1, 0.25], [0.05, 0.05, 0.1, 0.2, 0.6]):
        truth = float(np.arange(5) / 4 @ shares)
        drawn, times = np.unique(rng.multinomial(n, shares, 2000), axis=0, return_counts=True)
        held = []
        for row in drawn:
            found = score_interval(ScoreCounts(tuple(row.tolist())))
            assert isinstance(found, Interval)
            held.append(found.low <= truth <= found.high)
        coverage.append(float(np.average(held, weights=times)))
    assert 0.935 <= np.mean(coverage) <= 0.985
    assert min(coverage) >= 0.91
