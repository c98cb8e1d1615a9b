"""What is too large for the state machine is told before it fails past every Catch."""

import msgspec
import pytest

from nova_judge.errors import InputFileError, RecipeError
from nova_judge.kinds.bedrock_scores import MOST_BEDROCK_JOBS, check_bedrock_jobs
from nova_judge.layout import RunLayout
from nova_judge.runs.training_job_request import training_job_name
from nova_judge.steps.job_data import MOST_STATE_BYTES, check_state_size

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


def test_more_bedrock_jobs_than_a_run_can_follow_are_refused_with_what_to_do():
    check_bedrock_jobs(MOST_BEDROCK_JOBS)
    with pytest.raises(InputFileError, match=r"501 Bedrock evaluation jobs.*split the file"):
        check_bedrock_jobs(MOST_BEDROCK_JOBS + 1)


def test_the_history_of_one_job_stays_within_its_limit_for_four_days():
    waited, looks = 0, 0
    while waited < 4 * 24 * 3_600:
        looks += 1
        waited += 15 * looks
    assert 25 + 11 * looks < 2_500  # of 25,000


def test_what_so_many_children_give_back_fits_the_state_and_one_event():
    run_id, bucket = "x" * 80, "b" * 63
    name = training_job_name("nova-judge-stage", run_id, f"arn:{'x' * 80}", 499)
    output = f"s3://{bucket}/{RunLayout(run_id).judge_output(499)}"
    given_back = msgspec.json.encode({"number": 499, "name": f"{name}-0", "output": output})
    assert len(given_back) + 1 <= 400
    assert MOST_BEDROCK_JOBS * 400 <= MOST_STATE_BYTES
