"""Labels by themselves, against the judge, and from outside of the run."""

import numpy as np
import pytest
from scipy import stats

from nova_judge.records import Verdict
from nova_judge.statistics.decision import Word
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.findings import find
from nova_judge.statistics.gwet import gwet_ac1
from nova_judge.statistics.label_findings import (
    JudgeRates,
    label_findings,
    rate_by_outside_labels,
)
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.statistics_settings import DEFAULTS
from tests.made.profiles import counts, labelled


def test_labels_have_a_win_rate_and_a_word_of_their_own() -> None:
    by_label = {Outcome.A: counts(AA=8, BB=2), Outcome.B: counts(BB=36, AA=4)}
    found = label_findings(labelled(by_label), Word.B_BETTER)
    assert (found.labelled, found.word, found.contradictions) == (50, Word.B_BETTER, ())
    assert found.win_rate.estimate == 0.8
    expected = stats.fisher_exact([[8, 2], [4, 36]], alternative="greater").pvalue
    assert found.p_chance == pytest.approx(expected, rel=1e-9)


def test_labels_that_name_the_other_side_block_the_verdict() -> None:
    rows = [
        EvidenceRow(Verdict.B, Verdict.B, label=Verdict.A if n % 5 else Verdict.B)
        for n in range(50)
    ]
    rows += [EvidenceRow(Verdict.B, Verdict.B)] * 50 + [
        EvidenceRow(Verdict.A, Verdict.A, label=Verdict.A)
    ] * 20
    found = find(gather(rows), DEFAULTS)
    assert found.labels.word is Word.A_BETTER
    assert found.verdict.word is Word.INCONCLUSIVE
    assert found.verdict.sentence.startswith(
        "Inconclusive, the verdict is blocked: people's labels name A (B on 10, A on 60 of 70"
    )


def test_a_judge_that_agrees_by_chance_alone_is_not_followed() -> None:
    by_label = {Outcome.A: counts(AA=6, BB=6), Outcome.B: counts(BB=6, AA=6)}
    found = label_findings(labelled(by_label), Word.B_BETTER)
    assert "agrees with 24 labels no more than chance would" in found.contradictions[0]
    few = {Outcome.A: counts(AA=5, BB=4), Outcome.B: counts(BB=5, AA=5)}
    assert label_findings(labelled(few), Word.B_BETTER).contradictions == ()
    assert label_findings(gather([]), Word.B_BETTER) is None


def test_ac1_is_gwet_s_own_example_and_stands_where_kappa_collapses() -> None:
    """Gwet 2008, table of two raters: 118 and 2 agreed, 5 and 0 not; AC1 .957."""
    table = np.array([[118, 5, 0], [2, 0, 0], [0, 0, 0]])
    found = gwet_ac1(table)
    assert found.estimate == pytest.approx(0.940, abs=0.001)
    assert found.low < 0.94 < found.high
    assert gwet_ac1(np.diag([30, 0, 0])) is None


def covered(draw, truth: float, runs: int = 400) -> float:
    found = [draw() for _ in range(runs)]
    return float(np.mean([one.low <= truth <= one.high for one in found if one is not None]))


@pytest.mark.parametrize(
    ("truth", "right_a", "right_b"), [(0.5, 0.8, 0.7), (0.7, 0.9, 0.8), (0.2, 0.75, 0.85)]
)
def test_rates_of_an_outside_label_set_correct_the_run(truth, right_a, right_b) -> None:
    rng = np.random.default_rng(4)

    def draw():
        named_b = rng.binomial(500, truth * right_b + (1 - truth) * (1 - right_a))
        judge = JudgeRates(rng.binomial(60, right_a), 60, rng.binomial(60, right_b), 60)
        return rate_by_outside_labels(500 - named_b, named_b, judge)

    assert covered(draw, truth) >= 0.93


def test_a_coin_corrects_nothing() -> None:
    assert rate_by_outside_labels(40, 60, JudgeRates(50, 100, 50, 100)) is None
    exact = rate_by_outside_labels(40, 60, JudgeRates(100, 100, 100, 100))
    assert exact.estimate == pytest.approx(0.6)
