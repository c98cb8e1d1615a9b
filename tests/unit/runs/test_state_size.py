"""What is too large for the state machine is told before it fails past every Catch."""

import pytest

from nova_judge.errors import InputFileError, RecipeError
from nova_judge.runs.state_size import (
    MOST_BEDROCK_JOBS,
    MOST_STATE_BYTES,
    check_bedrock_jobs,
    check_state_size,
)

STATE_LIMIT = 262_144


def test_what_fits_passes_and_leaves_room_for_the_rest_of_the_state():
    jobs = [{"request": "x" * (MOST_STATE_BYTES - len('[{"request":""}]'))}]
    check_state_size(jobs)
    assert MOST_STATE_BYTES + 50_000 < STATE_LIMIT
    jobs[0]["request"] += "x"
    with pytest.raises(RecipeError, match="fewer, larger jobs"):
        check_state_size(jobs)


def test_characters_count_as_the_bytes_that_they_take():
    with pytest.raises(RecipeError, match="custom metrics"):
        check_state_size([{"request": "é" * (MOST_STATE_BYTES // 2)}])


def test_more_bedrock_jobs_than_a_history_records_are_refused_with_what_to_do():
    check_bedrock_jobs(MOST_BEDROCK_JOBS)
    with pytest.raises(InputFileError, match=r"41 Bedrock evaluation jobs.*split the file"):
        check_bedrock_jobs(MOST_BEDROCK_JOBS + 1)


def test_the_history_of_so_many_jobs_of_six_hours_stays_within_its_limit():
    waited, looks = 0, 0
    while waited < 6 * 3_600:
        looks += 1
        waited += 15 * looks
    assert MOST_BEDROCK_JOBS * (25 + 11 * looks) < 25_000
