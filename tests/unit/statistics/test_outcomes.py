"""Profile counts against the definitions written out row by row."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from nova_judge.records import Judgment, Unscored, Verdict
from nova_judge.statistics.evidence import count_codes
from nova_judge.statistics.outcomes import (
    OrderTally,
    Outcome,
    ProfileCounts,
    Reconciled,
    count_profiles,
    profile_of,
    profiles_from_dict,
    reconcile,
    score_quarters,
)
from tests.made.profiles import ANSWERS, judgments

POINTS = {Verdict.A: 0.0, Verdict.B: 1.0, Verdict.TIE: 0.5, Verdict.BOTH_BAD: 0.5}
some_judgments = st.lists(
    st.builds(Judgment, forward=st.sampled_from(ANSWERS), backward=st.sampled_from(ANSWERS)),
    max_size=60,
)


def naive_score(judgment: Judgment) -> float | None:
    points = [POINTS[v] for v in (judgment.forward, judgment.backward) if isinstance(v, Verdict)]
    return sum(points) / 2 if len(points) == 2 else None


def naive_reconciled(judgment: Judgment) -> str:
    seen = [judgment.forward, judgment.backward]
    if any(isinstance(one, Unscored) for one in seen):
        return "error"
    words = ["tie" if one == Verdict.BOTH_BAD else str(one) for one in seen]
    return words[0] if words[0] == words[1] else "inconsistent"


@given(some_judgments)
def test_every_row_ends_in_exactly_one_place(rows: list[Judgment]) -> None:
    found = count_profiles(rows)
    reconciled, forward = astuple(found.reconciled), astuple(found.forward)
    assert found.rows == len(rows) == sum(reconciled) == sum(forward)
    assert found.judged + found.judge_failed == len(rows)
    assert found.in_both_orders == sum(naive_score(row) is not None for row in rows)
    assert found.in_both_orders + found.one_order == found.judged


@given(some_judgments)
def test_reconciled_and_scores_are_what_the_rows_say(rows: list[Judgment]) -> None:
    found = count_profiles(rows)
    naive = Counter(naive_reconciled(row) for row in rows)
    assert astuple(found.reconciled) == tuple(naive[word] for word in Reconciled)
    scores = Counter(naive_score(row) for row in rows)
    assert found.quarters == tuple(scores[k / 4] for k in range(5))
    assert found.both_bad_backward == sum(row.backward == Verdict.BOTH_BAD for row in rows)


def test_one_verdict_alone_is_no_score() -> None:
    profile = profile_of(Judgment(forward=Verdict.B, backward=Unscored("cut off")))
    assert score_quarters(profile) is None
    assert reconcile(profile) is Reconciled.ERROR


@pytest.mark.parametrize("shards", [1, 2, 3, 7, 16, 64])
def test_shards_in_any_order_merge_to_the_same_counts(shards: int) -> None:
    rows = judgments(1000)
    whole = count_profiles(rows)
    shuffled = random.Random(shards).sample(rows, len(rows))  # noqa: S311  test data
    parts = [count_profiles(shuffled[part::shards]) for part in range(shards)]
    assert sum(parts, ProfileCounts()) == whole


def test_exchanging_the_candidates_twice_changes_nothing() -> None:
    found = count_profiles(judgments(500))
    turned = found.mirrored()
    assert turned.mirrored() == found
    backward = found.backward
    assert turned.forward == OrderTally(backward.b, backward.a, backward.ties, backward.errors)
    assert turned.quarters == found.quarters[::-1]


def test_columns_of_codes_count_like_rows() -> None:
    rows = judgments(500)
    codes = np.array([profile_of(row) for row in rows], dtype=np.uint8)
    assert count_codes(codes[:, 0], codes[:, 1]).counts == count_profiles(rows).counts


def test_counts_survive_being_written_as_an_object() -> None:
    found = count_profiles(judgments(300))
    written = found.as_dict()
    assert written["A/tie"] == found.of(Outcome.A, Outcome.TIE)
    assert profiles_from_dict(written).counts == found.counts
    with pytest.raises(ValueError, match="sixteen"):
        profiles_from_dict({"A/A": 1})
