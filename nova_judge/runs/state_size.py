"""The limits of what the state machine can carry from one state to the next."""

from collections.abc import Sequence

import msgspec

from nova_judge.errors import InputFileError, RecipeError
from nova_judge.text import count_of

MOST_STATE_BYTES = 200_000
"""Step Functions' 262,144 (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html),
less what else stands in the state: what is known of the run, and what the jobs' states add for each
of them. Beyond it an execution fails past every Catch."""
MOST_BEDROCK_JOBS = 500
"""Each has a child execution, of whose 25,000 events a look takes 11: four days take 2,400. What
children give back, at most 400 bytes each, must fit the state and one event of EventBridge."""


def check_bedrock_jobs(jobs: int) -> None:
    """Raise InputFileError where a run asks for more Bedrock jobs than it can follow."""
    if jobs > MOST_BEDROCK_JOBS:
        raise InputFileError(
            f"the rows make {jobs:,} Bedrock evaluation jobs, one run can follow "
            f"{MOST_BEDROCK_JOBS}: split the file into runs of its parts, or make the jobs larger "
            "(judge.bedrock.prompts_per_job); generated answers are not asked again"
        )


def check_state_size(jobs: Sequence[object]) -> None:
    """Raise RecipeError where the requests of a run's jobs are more than a state can hold."""
    size = len(msgspec.json.encode(jobs))
    if size > MOST_STATE_BYTES:
        raise RecipeError(
            f"the requests of {count_of(len(jobs), 'job takes', 'jobs take')} {size:,} bytes, the "
            f"state machine can carry {MOST_STATE_BYTES:,}: ask for fewer, larger jobs "
            "(judge.max_rows_per_job, judge.bedrock.prompts_per_job), or for fewer or shorter "
            "custom metrics"
        )
