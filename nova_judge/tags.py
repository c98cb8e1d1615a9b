"""The tags of everything that a stage makes, by which an account tells whose costs they are."""


def stage_tags(stage: str) -> dict[str, str]:
    """Tags of the stacks' resources and the endpoints."""
    return {"project": "nova-judge", "stage": stage}


def run_tags(stage: str, run_id: str) -> dict[str, str]:
    """Tags of a run's jobs."""
    return {**stage_tags(stage), "nova-judge:run": run_id}
