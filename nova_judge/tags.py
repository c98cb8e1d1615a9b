"""The tags of everything that a stage makes, by which an account tells whose costs they are."""


def stage_tags(stage: str) -> dict[str, str]:
    """What the stacks' resources and the endpoints carry."""
    return {"project": "nova-judge", "stage": stage}


def run_tags(stage: str, run_id: str) -> dict[str, str]:
    """What the jobs of a run carry."""
    return {**stage_tags(stage), "nova-judge:run": run_id}
