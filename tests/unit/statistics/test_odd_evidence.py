"""Evidence that nobody plans for: one prompt over and over, labels of one side, only ties."""

import pytest

from nova_judge.records import Unscored, Verdict
from nova_judge.statistics.decision import Word
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.findings import find
from nova_judge.statistics.statistics_settings import DEFAULTS

LOST = Unscored("lost")


def row(number: int, prompts: int) -> EvidenceRow:
    """B wins with longer answers, on rows that share this many prompts; the margins vary."""
    return EvidenceRow(
        Verdict.B,
        Verdict.B if number % 3 else Verdict.A,
        label=Verdict.B if number % 2 else None,
        margin=number % 7 / 10 - 0.5,
        length_A=10 + number % 9,
        length_B=30 + number % 5,
        cluster=1 + number % prompts,
        category="all",
    )


@pytest.mark.parametrize("prompts", [1, 2, 5, 9])
def test_a_thousand_rows_of_few_prompts_are_few(prompts: int) -> None:
    found = find(gather(row(number, prompts) for number in range(1000)), DEFAULTS)
    assert found.win_rate.high - found.win_rate.low > 0.1
    assert found.length_controlled is None
    assert found.calibration is None
    assert found.agreement.kappa_interval is None or found.agreement.kappa_interval.low is None
    if prompts < 6:
        assert found.verdict.word is Word.INCONCLUSIVE


def test_the_corrected_rate_of_two_prompts_is_nearly_unknown() -> None:
    rows = [row(n, 2)._replace(label=Verdict.B if n < 60 else None) for n in range(1000)]
    found = find(gather(rows), DEFAULTS).win_rate_corrected
    assert found.high - found.low > 0.4


@pytest.mark.parametrize("verdict", [Verdict.TIE, LOST, Verdict.BOTH_BAD])
def test_rows_that_all_end_alike_decide_nothing(verdict: Verdict) -> None:
    found = find(gather([EvidenceRow(verdict, verdict, label=Verdict.TIE)] * 40), DEFAULTS)
    assert found.verdict.word is Word.INCONCLUSIVE
    assert found.verdict.pairs_needed is None


def test_five_rows_of_one_side_are_too_few() -> None:
    found = find(gather([EvidenceRow(Verdict.B, Verdict.B)] * 5), DEFAULTS)
    assert (found.verdict.word, found.verdict.p_value) == (Word.INCONCLUSIVE, 0.0625)
    six = find(gather([EvidenceRow(Verdict.B, Verdict.B)] * 6), DEFAULTS)
    assert six.verdict.word is Word.B_BETTER


def test_a_probability_near_zero_makes_one_label_outweigh_all_others() -> None:
    rows = [
        EvidenceRow(side, side, label=side if n < 30 else None, probability=1e-9 if n == 0 else 0.5)
        for n in range(300)
        for side in [Verdict.A if n % 3 else Verdict.B]
    ]
    found = find(gather(rows), DEFAULTS).win_rate_corrected
    assert (found.low, found.high) == (0.0, 1.0)
