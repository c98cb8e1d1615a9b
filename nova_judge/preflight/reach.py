"""The rule that one run can be finished: two functions see all its rows, each in 15 minutes.

Measured by `benchmarks/large_run.py`; docs/cost-and-limits.md has the table.
"""

from nova_judge.check import Check
from nova_judge.preflight.estimate import read_workload
from nova_judge.preflight.input_head import InputHead
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import Recipe

MOST_ROWS = 3_000_000
"""At 71 µs of processor time a row the report of so many takes four minutes, of 15."""
MOST_TEXT_BYTES = 3_000_000_000
"""The report's function holds prompts and answers two and a half times on 10 GB of disk, and once,
compressed, in 3 GB of memory."""


def reach_check(recipe: Recipe, head: InputHead) -> Check:
    """The check that a file is not more than one run can report on, before anything is paid."""
    workload = read_workload(recipe, *head[:3])
    supposed = catalog.assumptions()
    tokens = recipe.generation.max_tokens * supposed.answer_share.value * len(workload.generated)
    answers = workload.rows * tokens * supposed.characters_per_token.value
    text_bytes = head.size + answers
    summary = f"about {workload.rows:,} rows with {text_bytes / 1e9:,.1f} GB of text"
    over = max(workload.rows / MOST_ROWS, text_bytes / MOST_TEXT_BYTES)
    if over <= 1.0:
        return Check("size of the run", "pass", summary)
    return Check(
        "size of the run",
        "fail",
        f"{summary}: one run reports on {MOST_ROWS:,} rows and {MOST_TEXT_BYTES / 1e9:.0f} GB",
        f"split the file into {int(over) + 1} parts, each a run of its own",
    )
