"""Refusals that come whatever the load slow nobody down; a quota that others share is used up."""

import pytest

from tests.made.limited_server import LATENCY, MOST, Bucket, asked, by_chance


@pytest.mark.parametrize(("share", "least"), [(0.05, 0.6), (0.3, 0.6), (0.6, 0.4), (0.9, 0.4)])
def test_refusals_by_chance_cost_little_more_than_the_calls_they_take(share, least):
    ideal = 1500 * LATENCY / MOST / (1 - share)
    taken = sorted(asked(by_chance(share), 1500, seed)[0] for seed in range(9))
    assert ideal / taken[4] >= least
    assert ideal / taken[-1] >= least / 2


@pytest.mark.parametrize(
    ("rate", "burst", "others"), [(200, 200, 0), (400, 50, 0), (600, 600, 200), (600, 100, 400)]
)
def test_a_quota_that_others_share_is_used_to_nine_tenths(rate, burst, others):
    ideal = (4000 - burst) / (rate - others)
    for seed in range(3):
        assert ideal / asked(Bucket(rate, burst, others), 4000, seed)[0] >= 0.9
