"""Control rows, and what they say of a judge."""

import msgspec
import pytest

from nova_judge.pairs.controls import Control, blocked_by, control_rows, judge_control, noise_floor
from nova_judge.records import InputRow, Verdict
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.outcomes import ProfileCounts
from tests.made.profiles import counts, judged_rows, labelled

ROWS = [row.row for row in judged_rows(50)]


def test_the_same_answer_stands_on_both_sides() -> None:
    made = control_rows(ROWS, Control.SAME_ANSWER, 20)
    assert len(made) == 20
    for row in made:
        source = next(r for r in ROWS if row.id == f"control:same_answer:{r.id}")
        assert row.response_A == row.response_B
        assert row.response_A in (source.response_A, source.response_B)
        assert (row.line, row.label, row.reference) == (source.line, None, None)
    assert [row.line for row in made] == sorted(row.line for row in made)


def test_the_padded_answer_says_nothing_new() -> None:
    for row in control_rows(ROWS, Control.PADDED, 10):
        assert row.response_A is not None and row.response_B is not None
        assert row.response_B.startswith(row.response_A)
        assert row.response_B.count(row.response_A) >= 2


def test_the_sample_depends_on_ids_and_seed_and_not_on_order() -> None:
    assert control_rows(ROWS[::-1], Control.PADDED, 10) == control_rows(ROWS, Control.PADDED, 10)
    other = control_rows(ROWS, Control.PADDED, 10, seed=1)
    assert {row.id for row in other} != {r.id for r in control_rows(ROWS, Control.PADDED, 10)}


def test_rows_without_answers_are_passed_over() -> None:
    assert control_rows([InputRow(line=1, prompt="?", id="1")], Control.PADDED, 5) == []


def test_what_a_judge_names_of_one_answer_shown_twice_is_its_noise() -> None:
    """Both sides are the same bytes: P(both orders name A) is P(both name B), for every judge."""
    found = judge_control(Control.SAME_ANSWER, labelled({}, counts(BB=29, AA=27, AB=20, tt=24)))
    assert found.blocks is None
    assert (found.named, found.flips) == (0.56, 0.2)
    assert noise_floor([found], 0.25) == (
        "the judge's noise: of pairs of one and the same answer it names a winner in both orders "
        "on 56.0%, and its orders contradict each other on 20.0%; on the run's own rows its orders "
        "contradict on 25.0%"
    )
    assert noise_floor([judge_control(Control.PADDED, labelled({}, counts(BB=9)))], 0.1) is None


def test_a_taste_for_padding_blocks_the_verdict() -> None:
    found = judge_control(Control.PADDED, labelled({}, counts(BB=38, AA=2, AB=10)))
    assert blocked_by([found]) == (found.blocks,)


@pytest.mark.parametrize(
    "fair", [counts(BB=10, AA=9, tt=30), counts(tt=50), counts(AB=50), ProfileCounts()]
)
def test_a_fair_judge_blocks_nothing(fair: ProfileCounts) -> None:
    for control in Control:
        assert judge_control(control, labelled({}, fair)).blocks is None


def test_leaning_to_a_position_is_noted_and_does_not_block() -> None:
    found = judge_control(Control.SAME_ANSWER, labelled({}, counts(AB=40, BA=2)))
    assert found.blocks is None
    assert found.note is not None
    assert "first position (40 rows to 2)" in found.note


def test_only_a_taste_for_padding_blocks_and_not_a_distaste() -> None:
    assert judge_control(Control.PADDED, labelled({}, counts(BB=40, AA=5))).blocks is not None
    assert judge_control(Control.PADDED, labelled({}, counts(AA=40, BB=5))).blocks is None


def test_a_repeated_row_is_the_row_itself() -> None:
    for row in control_rows(ROWS, Control.REPEAT, 10):
        source = next(r for r in ROWS if row.id == f"control:repeat:{r.id}")
        kept = msgspec.structs.replace(source, id=row.id, label=None, reference=None)
        assert row == kept


def test_rows_of_few_prompts_do_not_block() -> None:
    rows = [EvidenceRow(Verdict.B, Verdict.B, cluster=1 + n % 4) for n in range(40)]
    found = judge_control(Control.PADDED, gather(rows))
    assert (found.p_value, found.blocks) == (0.125, None)
