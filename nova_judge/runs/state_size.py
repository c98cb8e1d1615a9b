"""What the state machine can carry from one state to the next."""

from typing import Any

import msgspec

from nova_judge.errors import RecipeError

MOST_STATE_BYTES = 256_000
"""Step Functions' 262,144 (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html),
less what else stands in the state. Beyond it an execution fails past every Catch."""


def check_state_size(jobs: list[dict[str, Any]]) -> None:
    """Raise RecipeError where the requests of a run's jobs are more than a state can hold."""
    size = len(msgspec.json.encode(jobs))
    if size > MOST_STATE_BYTES:
        raise RecipeError(
            f"the requests of {len(jobs):,} jobs take {size:,} bytes, the state machine carries "
            f"{MOST_STATE_BYTES:,}: ask for fewer, larger jobs (judge.max_rows_per_job, "
            "judge.bedrock.prompts_per_job), or for fewer or shorter custom metrics"
        )
