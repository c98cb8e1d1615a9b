"""Planning against scipy's binomial."""

import pytest
from scipy import stats

from nova_judge.statistics.planning import (
    detectable_difference,
    plan,
    power_of,
    smallest_significant,
)


@pytest.mark.parametrize(
    ("difference", "pairs"), [(0.01, 19_680), (0.03, 2_189), (0.05, 786), (0.1, 199)]
)
def test_the_pairs_have_the_power_that_was_asked_for(difference: float, pairs: int) -> None:
    found = plan(difference)
    assert found.decided_pairs == found.pairs == pairs
    assert 0.8 <= found.exact_power <= 0.81


@pytest.mark.parametrize("pairs", [6, 10, 50, 197, 2181])
def test_the_power_is_that_of_scipy(pairs: int) -> None:
    wins = smallest_significant(pairs)
    assert stats.binomtest(wins, pairs).pvalue < 0.05 <= stats.binomtest(wins - 1, pairs).pvalue
    for difference in (0.02, 0.2):
        share = 0.5 + difference
        expected = stats.binom.sf(wins - 1, pairs, share) + stats.binom.cdf(
            pairs - wins, pairs, share
        )
        assert power_of(pairs, difference) == pytest.approx(expected, rel=1e-8)


def test_rows_that_decide_nothing_are_planned_for() -> None:
    assert plan(0.1, decided_share=0.5).pairs == 398
    repeated = plan(0.1, samples=5, correlation=0.5)
    assert (repeated.prompts, repeated.pairs) == (120, 600)


def test_planning_and_detecting_are_each_other_s_inverse() -> None:
    found = detectable_difference(197)
    assert found is not None
    assert power_of(197, found) == pytest.approx(0.8, abs=1e-6)
    assert found == pytest.approx(0.1, abs=0.002)


def test_five_pairs_find_nothing() -> None:
    assert smallest_significant(5) == 6
    assert power_of(5, 0.5) == 0
    assert detectable_difference(5) is None


def test_no_difference_has_no_plan() -> None:
    with pytest.raises(ValueError, match="no number of pairs"):
        plan(0.0)
