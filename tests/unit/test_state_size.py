"""What is too large for the state machine is told before it fails past every Catch."""

import pytest

from nova_judge.errors import RecipeError
from nova_judge.runs.state_size import MOST_STATE_BYTES, check_state_size

STATE_LIMIT = 262_144


def test_what_fits_passes_and_leaves_room_for_the_rest_of_the_state():
    jobs = [{"request": "x" * (MOST_STATE_BYTES - len('[{"request":""}]'))}]
    check_state_size(jobs)
    assert MOST_STATE_BYTES + 4_096 < STATE_LIMIT
    jobs[0]["request"] += "x"
    with pytest.raises(RecipeError, match="fewer, larger jobs"):
        check_state_size(jobs)


def test_characters_count_as_the_bytes_that_they_take():
    with pytest.raises(RecipeError, match="custom metrics"):
        check_state_size([{"request": "é" * (MOST_STATE_BYTES // 2)}])
