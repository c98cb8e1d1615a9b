"""The rule that one run can be finished: no function may need more than half of its time or memory.

The bounds are data (`data/reach.json`), measured by `benchmarks/large_run.py`.
"""

from typing import NamedTuple

from nova_judge.check import Check
from nova_judge.kinds.known_kinds import judged_in_parts, writes_rubrics
from nova_judge.preflight.forecast import read_workload
from nova_judge.preflight.input_head import InputHead
from nova_judge.recipe import catalog
from nova_judge.recipe.catalog import Bound
from nova_judge.recipe.recipe import Recipe
from nova_judge.text import count_of


class _Size(NamedTuple):
    rows: float
    text_bytes: float

    def times(self, bound: Bound) -> float:
        """How often the bound holds this; above 1 it is too much."""
        return max(self.rows / bound.rows, self.text_bytes / bound.text_bytes)


def reach_check(recipe: Recipe, head: InputHead) -> Check:
    """The check that a file is not more than one run can report on, before anything is paid."""
    workload = read_workload(recipe, *head[:3])
    supposed, reach = catalog.assumptions(), catalog.reach()
    tokens = recipe.generation.max_tokens * supposed.answer_share.value * len(workload.generated)
    answers = workload.rows * tokens * supposed.characters_per_token.value
    run = _Size(workload.rows, head.size + answers)
    in_parts = judged_in_parts(recipe) and not recipe.stop and not writes_rubrics(recipe)
    bound = reach.in_parts if in_parts else reach.whole
    summary = f"about {count_of(workload.rows, 'row')} with {run.text_bytes / 1e9:,.1f} GB of text"
    if run.times(bound) > 1.0:
        return Check(
            "size of the run",
            "fail",
            f"{summary}: such a run holds {count_of(bound.rows, 'row')} and "
            f"{bound.text_bytes / 1e9:.0f} GB",
            f"split the file into {int(run.times(bound)) + 1} parts, each a run of its own",
        )
    share = min(1.0, (recipe.judge.max_rows_per_job or workload.rows) / max(workload.rows, 1))
    job = _Size(run.rows * share, run.text_bytes * share)
    if in_parts and job.times(reach.of_a_job) > 1.0:
        most = max(1_000, int(job.rows / job.times(reach.of_a_job)) // 1_000 * 1_000)
        return Check(
            "size of the run",
            "fail",
            f"{summary}: a judge job has at most {count_of(reach.of_a_job.rows, 'row')} and "
            f"{reach.of_a_job.text_bytes / 1e9:.0f} GB",
            f"write judge.max_rows_per_job: {most} or less into the recipe",
        )
    return Check("size of the run", "pass", summary)
