"""The verdict: scipy's sign test, the four words, and a sentence that says no more than is so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nova_judge.statistics.contest import contest_of_profiles
from nova_judge.statistics.decision import Word
from nova_judge.statistics.distributions import binomial_cdf, sign_test
from nova_judge.statistics.early_stopping import rows_needed
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.planning import decisive_pairs
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.verdict import state_verdict
from tests.made.profiles import counts, random_counts, verdict


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_sign_test_is_that_of_scipy(first: int, second: int) -> None:
    expected = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert sign_test(first, second) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("k", "n", "p"), [(499_000, 10**6, 0.5), (52, 100, 0.53), (0, 9, 0.1)])
def test_the_binomial_tail_is_that_of_scipy(k: int, n: int, p: float) -> None:
    assert binomial_cdf(k, n, p) == pytest.approx(stats.binom.cdf(k, n, p), rel=1e-8)
    assert binomial_cdf(-1, n, p) == 0
    assert binomial_cdf(n, n, p) == 1


def test_seven_of_ten_is_inconclusive() -> None:
    found = verdict(counts(BB=7, AA=3))
    assert found.word is Word.INCONCLUSIVE
    assert found.p_value == pytest.approx(0.34375)
    assert found.pairs_needed == 51
    assert "51 new rows, evaluated alone, would decide at 80 % power" in found.sentence
    assert "p = 0.344" in found.sentence


def test_each_word_has_its_evidence() -> None:
    ahead = verdict(counts(BB=40, AA=10, tt=5))
    assert ahead.word is Word.B_BETTER
    assert ahead.pairs_needed is None
    assert ahead.sentence.startswith("B is better: both orders name B on 40 and A on 10 of 55 rows")
    assert verdict(counts(BB=40, AA=10, tt=5).mirrored()).word is Word.A_BETTER


def test_equivalent_needs_a_margin_and_an_interval_inside_it() -> None:
    level_rows = counts(BB=500, AA=500, tt=3000)
    assert verdict(level_rows).word is Word.INCONCLUSIVE
    within = StatisticsSettings(equivalence_margin=0.03)
    assert verdict(level_rows, within).word is Word.EQUIVALENT
    assert verdict(level_rows, within).sentence.startswith(
        "A and B are equivalent within 3 points of win rate: "
    )
    assert verdict(counts(BB=5, AA=5), within).word is Word.INCONCLUSIVE


def test_the_sentence_shows_the_interval_that_equivalence_rests_on() -> None:
    found = verdict(counts(tt=40), StatisticsSettings(equivalence_margin=0.05))
    assert found.word is Word.EQUIVALENT
    assert found.sentence.endswith("win rate of B 50.0 %, 90 % interval 46.4 to 53.6 %.")
    few = verdict(counts(tt=17), StatisticsSettings(equivalence_margin=0.05))
    assert few.word is Word.INCONCLUSIVE


@pytest.mark.parametrize("rows", [10, 15, 20, 29, 50, 80])
@pytest.mark.parametrize(("margin", "a_share"), [(0.05, 0.0), (0.1, 0.0), (0.05, 0.05)])
def test_a_difference_of_the_margin_is_called_equivalent_in_at_most_one_of_twenty_runs(
    rows: int, margin: float, a_share: float
) -> None:
    shares = (a_share, 1 - 2 * (a_share + margin), a_share + 2 * margin)
    within = StatisticsSettings(equivalence_margin=margin)
    wrong = 0.0
    for a in range(rows + 1 if a_share else 1):
        for b in range(rows + 1 - a):
            chance = stats.multinomial.pmf((a, rows - a - b, b), rows, shares)
            if chance > 1e-6:
                told = verdict(counts(AA=a, tt=rows - a - b, BB=b), within)
                wrong += chance * (told.word is Word.EQUIVALENT)
    assert wrong <= 0.05


def test_a_draw_and_no_rows_name_no_number_of_pairs() -> None:
    draw = verdict(counts(BB=5, AA=5))
    assert draw.pairs_needed is None
    assert "level so far" in draw.sentence
    empty = verdict(ProfileCounts())
    assert empty.word is Word.INCONCLUSIVE
    assert empty.sentence == "Inconclusive: no row was judged."


def test_a_test_and_a_rate_that_disagree_decide_nothing() -> None:
    found = verdict(counts(BB=30, AA=10, At=200))
    assert found.p_value < 0.01
    assert found.word is Word.INCONCLUSIVE
    assert found.pairs_needed is None
    assert "different sides" in found.sentence


def test_a_failed_control_blocks_the_verdict_and_says_why() -> None:
    reason = "the judge prefers a padded answer to the plain one on 38 of 40 rows"
    found = verdict(counts(BB=90, AA=10), StatisticsSettings(blocked_by=(reason,)))
    assert found.word is Word.INCONCLUSIVE
    assert reason in found.sentence


@pytest.mark.parametrize(
    ("share", "pairs"), [(0.51, 19_680), (0.53, 2_189), (0.55, 786), (0.6, 199), (0.4, 199)]
)
def test_pairs_for_a_difference_have_the_power(share: float, pairs: int) -> None:
    assert decisive_pairs(share) == pairs


def test_further_pairs_count_the_rows_that_decide_nothing() -> None:
    assert rows_needed(contest_of_profiles(counts(AA=3, BB=7))).rows == 51
    assert rows_needed(contest_of_profiles(counts(AA=3, BB=7, tt=10))).rows == 102
    assert rows_needed(contest_of_profiles(counts(AA=4, BB=4, tt=12))) is None


@pytest.mark.parametrize("seed", range(30))
def test_exchanging_the_candidates_exchanges_the_words(seed: int) -> None:
    profiles = random_counts(seed, 80)
    found, mirror = verdict(profiles), verdict(profiles.mirrored())
    exchanged = {Word.A_BETTER: Word.B_BETTER, Word.B_BETTER: Word.A_BETTER}
    assert mirror.word is exchanged.get(found.word, found.word)
    assert (mirror.p_value, mirror.pairs_needed) == (found.p_value, found.pairs_needed)
    assert (mirror.a, mirror.b) == (found.b, found.a)


def test_no_difference_is_called_one_in_at_most_one_of_twenty_runs() -> None:
    drawn = np.random.default_rng(3).binomial(80, 0.5, 4000)
    wins, times = np.unique(drawn, return_counts=True)
    words = [verdict(counts(BB=int(b), AA=80 - int(b))).word for b in wins]
    alarms = [word is not Word.INCONCLUSIVE for word in words]
    assert np.average(alarms, weights=times) <= 0.05


def test_a_corrected_p_value_is_said_to_be_corrected() -> None:
    contest = contest_of_profiles(counts(AA=3, BB=15))
    once = state_verdict(contest)
    often = state_verdict(contest, StatisticsSettings(looks=4.0))
    assert "sign test, p = 0.008);" in once.evidence
    assert "sign test, p = 0.030 after a correction for several looks);" in often.evidence


def test_adding_rows_and_testing_all_again_cries_wolf_more_often() -> None:
    """Equal candidates, 20 decided rows, and as many more as `pairs_needed` names: 4,000 draws."""
    rng = np.random.default_rng(5)
    needed = [verdict(counts(BB=wins, AA=20 - wins)).pairs_needed for wins in range(21)]
    once, again = 0, 0
    for wins in rng.binomial(20, 0.5, 4000).tolist():
        first = sign_test(wins, 20 - wins) < 0.05
        more = min(needed[wins] or 0, 5000)
        added = wins + int(rng.binomial(more, 0.5))
        once += first
        again += first or sign_test(added, 20 + more - added) < 0.05
    assert once / 4000 <= 0.05
    assert 0.06 <= again / 4000 <= 0.09
