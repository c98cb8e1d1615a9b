"""Labels by themselves, and against the judge."""

import numpy as np
import pytest
from scipy import stats

from nova_judge.records import Verdict
from nova_judge.statistics.beyond_chance import gwet_ac1
from nova_judge.statistics.decision import Word
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.findings import AS_DRAWN, find
from nova_judge.statistics.label_findings import label_findings
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


def test_labels_of_one_prompt_are_one_observation() -> None:
    """Five prompts, of which four have ten rows each that are labelled alike."""
    rows = [
        EvidenceRow(Verdict.B, Verdict.B, label=Verdict.B, cluster=7 + n // 10) for n in range(40)
    ]
    rows += [EvidenceRow(Verdict.A, Verdict.A, label=Verdict.A, cluster=99)]
    found = label_findings(gather(rows), Word.B_BETTER)
    assert found.word is Word.INCONCLUSIVE
    assert found.win_rate.low < 0.5
    assert found.p_chance is None
    alone = label_findings(gather(row._replace(cluster=0) for row in rows), Word.B_BETTER)
    assert alone.word is Word.B_BETTER


def test_labels_with_a_probability_are_weighted_and_the_others_take_no_part() -> None:
    """Of 100 rows each, half of the ones that B wins were labelled and a tenth of A's."""
    rows = [EvidenceRow(Verdict.B, Verdict.B, label=Verdict.B, probability=0.5)] * 50
    rows += [EvidenceRow(Verdict.A, Verdict.A, label=Verdict.A, probability=0.1)] * 10
    rows += [EvidenceRow(Verdict.A, Verdict.A, label=Verdict.B)] * 30
    rows += [EvidenceRow(Verdict.A, Verdict.A)] * 60 + [EvidenceRow(Verdict.B, Verdict.B)] * 50
    found = find(gather(rows), DEFAULTS)
    assert found.labels.labelled == 60
    assert found.labels.win_rate.estimate == pytest.approx(0.5)
    assert found.labels.word is Word.INCONCLUSIVE
    assert (found.win_rate_corrected.labelled, found.win_rate_corrected.unlabelled) == (60, 140)
    assert AS_DRAWN in found.notes


def test_labels_of_one_side_cannot_show_agreement_and_block_nothing() -> None:
    rows = [EvidenceRow(Verdict.B, Verdict.B, label=Verdict.B)] * 30
    rows += [EvidenceRow(Verdict.A, Verdict.A, label=Verdict.B)] * 5
    found = label_findings(gather(rows), Word.B_BETTER)
    assert (found.p_chance, found.contradictions) == (None, ())
