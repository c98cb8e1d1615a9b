"""Position figures against a judge whose bias is known."""

import pytest
from scipy import stats

from nova_judge.records import Verdict
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.positions import positions, positions_of
from tests.made.profiles import counts, random_counts


def test_a_judge_that_always_names_the_first_is_found_out() -> None:
    found = positions(counts(AB=20))
    assert found.first_rate == 1
    assert found.flips == 1
    assert found.consistency == 0
    assert found.p_value == pytest.approx(stats.binomtest(20, 20).pvalue)


def test_figures_are_what_the_rows_say() -> None:
    found = positions(counts(AA=4, BB=2, AB=3, BA=1, At=2, tB=1, tt=5, Ae=1, ee=1))
    assert (found.first_named, found.second_named) == (4 + 3 + 2 + 1 + 2 + 3, 2 + 1 + 4 + 1)
    assert (found.leaning_first, found.leaning_second) == (3 + 2 + 1, 1)
    assert found.flips == 4 / 20
    assert found.consistency == 11 / 20


def test_a_lost_order_makes_the_better_candidate_no_position() -> None:
    """The judge names A on 90 of 100 rows, and half of the backward orders are lost."""
    assert positions(counts(AA=45, BB=5, Ae=45, Be=5)).first_rate == 0.5


def test_no_row_in_both_orders_says_nothing_of_positions() -> None:
    found = positions(counts(Ae=5, ee=2))
    assert (found.flips, found.consistency, found.p_value) == (None, None, None)
    assert positions(counts()).first_rate is None


@pytest.mark.parametrize("seed", range(20))
def test_positions_do_not_change_when_the_candidates_are_exchanged(seed: int) -> None:
    profiles = random_counts(seed)
    assert positions(profiles.mirrored()) == positions(profiles)


def test_rows_of_few_prompts_show_no_bias() -> None:
    rows = [EvidenceRow(Verdict.A, Verdict.B, cluster=1 + n % 4) for n in range(40)]
    assert positions_of(gather(rows)).p_value == 0.125
    alone = gather(row._replace(cluster=0) for row in rows)
    assert positions_of(alone) == positions(alone.profiles)
