"""Byte ranges cover the file once, whatever its size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_judge.inputs.dataset import Shard, cut


@given(st.integers(0, 10**6), st.integers(1, 10**5), st.integers(1, 50))
def test_ranges_are_contiguous_and_cover_the_file_once(size, shard_bytes, most):
    shards = list(cut(size, shard_bytes, most))
    assert [s.index for s in shards] == list(range(len(shards)))
    assert len(shards) <= most
    edges = [0, *(s.end for s in shards)]
    assert all(s.start == edge for s, edge in zip(shards, edges, strict=False))
    assert edges[-1] == size


def test_an_empty_file_has_no_shard():
    assert list(cut(0, 10)) == []


def test_a_file_of_5_gb_is_cut_into_at_most_10_000_shards():
    shards = list(cut(5 * 10**9, 1000))
    assert len(shards) == 10_000
    assert shards[-1].end == 5 * 10**9


def test_the_plan_is_lazy():
    assert next(cut(10**18, 10**6, most=10**12)) == Shard(0, 0, 10**6)


@pytest.mark.parametrize(("size", "shard_bytes", "most"), [(-1, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_nonsense_is_refused(size, shard_bytes, most):
    with pytest.raises(ValueError, match="cannot cut"):
        list(cut(size, shard_bytes, most))
