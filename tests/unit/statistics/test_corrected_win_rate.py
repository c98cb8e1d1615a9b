"""The win rate corrected by labels: the formula written out, mirrors, coverage, errors."""

import numpy as np
import pytest
from scipy import stats

from nova_judge.records import Unscored
from nova_judge.statistics.corrected_win_rate import CorrectedWinRate
from nova_judge.statistics.distributions import student_quantile
from nova_judge.statistics.findings import corrected_by_labels
from nova_judge.statistics.outcomes import Outcome, ProfileCounts
from tests.made.profiles import counts, labelled

LABELLED = {
    Outcome.A: counts(AA=30, AB=6, BB=4),
    Outcome.B: counts(BB=40, AB=8, AA=6, tt=2),
    Outcome.TIE: counts(tt=5, Bt=3),
}
OTHERS = counts(AA=300, BB=420, AB=90, tt=60, Be=10)


def corrected(by_label, others):
    return corrected_by_labels(labelled(by_label, others))


def test_it_is_the_formula_of_prediction_powered_inference() -> None:
    found = corrected(LABELLED, OTHERS)
    assert isinstance(found, CorrectedWinRate)
    label_of = {Outcome.A: 0.0, Outcome.TIE: 0.5, Outcome.B: 1.0}
    labels = np.concatenate(
        [np.full(p.in_both_orders, label_of[name]) for name, p in LABELLED.items()]
    )
    scores = np.concatenate([np.repeat(np.arange(5) / 4, p.quarters) for p in LABELLED.values()])
    others = np.repeat(np.arange(5) / 4, OTHERS.quarters)
    classical = (labels - found.weight * scores).mean() + found.weight * others.mean()
    assert found.estimate == pytest.approx(classical, abs=0.003)
    errors = labels - found.weight * scores
    error = np.sqrt(errors.var(ddof=1) / len(errors) + found.weight**2 * others.var() / len(others))
    assert found.high - found.low == pytest.approx(2 * 1.983 * error, rel=0.03)
    assert (found.labelled, found.unlabelled) == (104, 870)


def test_a_good_judge_narrows_the_interval_and_a_coin_does_not_widen_it() -> None:
    good = {Outcome.A: counts(AA=45, BB=5), Outcome.B: counts(BB=45, AA=5)}
    coin = {Outcome.A: counts(AA=25, BB=25), Outcome.B: counts(BB=25, AA=25)}
    many = counts(AA=5000, BB=5000)
    widths = []
    for by_label in (good, coin):
        found = corrected(by_label, many)
        assert isinstance(found, CorrectedWinRate)
        widths.append(found.high - found.low)
    assert widths[0] < 0.7 * widths[1]
    assert widths[1] < 0.21


def test_exchanging_the_candidates_mirrors_it() -> None:
    exchanged = {Outcome.A: Outcome.B, Outcome.B: Outcome.A, Outcome.TIE: Outcome.TIE}
    turned = {exchanged[label]: p.mirrored() for label, p in LABELLED.items()}
    found, mirror = corrected(LABELLED, OTHERS), corrected(turned, OTHERS.mirrored())
    assert isinstance(found, CorrectedWinRate)
    assert isinstance(mirror, CorrectedWinRate)
    assert found.estimate == 1 - mirror.estimate
    assert (found.low, found.high) == (1 - mirror.high, 1 - mirror.low)


def test_the_interval_holds_an_estimate_that_leaves_the_range() -> None:
    one = {Outcome.A: counts(AA=20, tt=20), Outcome.TIE: counts(BB=12)}
    mirrored = {Outcome.B: counts(BB=20, tt=20), Outcome.TIE: counts(AA=12)}
    for table, others in ((one, counts(AA=600)), (mirrored, counts(BB=600))):
        found = corrected(table, others)
        assert isinstance(found, CorrectedWinRate)
        assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_too_few_or_too_many_labels_have_a_reason() -> None:
    few = {Outcome.A: counts(AA=19)}
    assert corrected(few, OTHERS) == Unscored("19 judged rows have a label, 20 are needed")
    reason = "1 judged row has a label, 20 are needed"
    assert corrected({Outcome.A: counts(AA=1)}, OTHERS) == Unscored(reason)
    everything = corrected(LABELLED, ProfileCounts())
    assert isinstance(everything, Unscored)


@pytest.mark.parametrize("degrees", [5, 12, 40, 300])
def test_the_quantile_of_t_is_that_of_scipy(degrees: int) -> None:
    for level in (0.9, 0.95):
        expected = stats.t.ppf((1 + level) / 2, degrees)
        assert student_quantile(level, degrees) == pytest.approx(expected, abs=4e-3)
