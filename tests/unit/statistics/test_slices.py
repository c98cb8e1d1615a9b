"""Slices: statsmodels' Holm, counts only below twenty rows, order of rows."""

import numpy as np
import pytest

from nova_judge.pairs.judged_evidence import evidence_row
from nova_judge.records import Verdict
from nova_judge.statistics import slices as module
from nova_judge.statistics.decision import holm
from nova_judge.statistics.evidence import Basis, EvidenceRow, gather
from nova_judge.statistics.slices import slices
from nova_judge.statistics.statistics_settings import DEFAULTS
from tests.made.profiles import judged_rows


@pytest.mark.parametrize("seed", range(5))
def test_the_correction_is_that_of_statsmodels(seed: int) -> None:
    from statsmodels.stats.multitest import multipletests

    p_values = np.random.default_rng(seed).random(9) ** 3
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values.tolist()) == pytest.approx(expected)
    assert holm([]) == []


def test_a_small_slice_is_counts_only() -> None:
    rows = [EvidenceRow(Verdict.B, Verdict.B, category="many")] * 25
    rows += [EvidenceRow(Verdict.A, Verdict.A, category="few")] * 19
    many, few = slices(gather(rows), DEFAULTS, Basis.BOTH_ORDERS).slices
    assert (many.category, many.rows, many.differs) == ("many", 25, True)
    assert few.reconciled.a == 19
    assert few.win_rate is few.p_value is few.p_holm is None


def test_slices_add_up_and_do_not_depend_on_the_order() -> None:
    rows = gather(evidence_row(row) for row in judged_rows(300))
    found = slices(rows, DEFAULTS, Basis.BOTH_ORDERS).slices
    assert sum(entry.rows for entry in found) == 300
    shuffled = rows.where(np.random.default_rng(1).permutation(300))
    assert slices(shuffled, DEFAULTS, Basis.BOTH_ORDERS).slices == found


def test_without_categories_there_are_no_slices() -> None:
    rows = gather([EvidenceRow(Verdict.A, Verdict.A)] * 30)
    assert slices(rows, DEFAULTS, Basis.BOTH_ORDERS) == ((), 0)
    assert slices(gather([]), DEFAULTS, Basis.BOTH_ORDERS) == ((), 0)


def test_a_category_a_row_does_not_flood_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SLICES", 10)
    rows = gather(EvidenceRow(Verdict.A, category=str(number)) for number in range(25))
    found = slices(rows, DEFAULTS, Basis.ONE_ORDER)
    assert (len(found.slices), found.left_out) == (10, 15)
