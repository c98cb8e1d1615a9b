"""Runs before they start, of any recipe."""

from nova_judge.inputs.reading import FROM_FILE, AnswerSources
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import S3Object
from nova_judge.runs.run import Run


def run_of(
    recipe: Recipe, sources: AnswerSources = FROM_FILE, *, run_id: str = "run", **further: object
) -> Run:
    """A run over one file; `further` are other fields of a run."""
    fields = {
        "run_id": run_id,
        "execution": "arn:execution",
        "created": "2026-11-21T00:00:00Z",
        "input": S3Object("bucket", "inbox/x.jsonl", "v", 1),
        "recipe": recipe,
        "recipe_sha256": recipe.sha256,
        "sources": sources,
    }
    return Run(**fields | further)  # type: ignore[arg-type]
