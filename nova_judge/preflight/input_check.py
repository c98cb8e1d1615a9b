"""The rule that a file's first rows can be used, and fit the models that read them."""

from nova_judge.check import Check
from nova_judge.inputs.reading import AnswerSources
from nova_judge.json_lines import whole_lines
from nova_judge.preflight.input_head import rows_of
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import (
    FailedRow,
    InputRow,
    Rejected,
    as_rejected,
)
from nova_judge.sources.answers_file import how_to_join


def input_check(
    head: bytes, size: int, sources: AnswerSources, recipe: Recipe | None = None
) -> Check:
    """The check that the head of the input holds rows which the recipe can take."""
    seen = whole_lines(head, size)
    parsed = list(rows_of(recipe, [seen], len(seen), sources))
    rows = [row for row in parsed if not isinstance(row, Rejected | FailedRow)]
    rejected = [as_rejected(row) for row in parsed if isinstance(row, Rejected | FailedRow)]
    if not rows:
        reason = f"line {rejected[0].line}: {rejected[0].reason}" if rejected else "no line"
        advice = how_to_join(recipe) or "see `nova-judge validate`"
        return Check("input", "fail", f"no usable row: {reason}", advice)
    context = catalog.compatibility().judge_context_tokens
    longest = max((_tokens(row) for row in rows if isinstance(row, InputRow)), default=0)
    summary = f"{len(rows):,} usable rows in the first {len(seen):,} of {size:,} bytes"
    if longest > context.warn_from:
        return Check(
            "input",
            "warn",
            f"{summary}; the longest has about {longest:,} tokens",
            f"the judge takes {context.warn_from:,} to {context.value:,} tokens a row: shorten it",
        )
    if rejected:
        first = f"line {rejected[0].line}: {rejected[0].reason}"
        return Check(
            "input", "warn", f"{summary}; {len(rejected):,} unusable ({first})", "they are left out"
        )
    return Check("input", "pass", summary)


def _tokens(row: InputRow) -> int:
    characters = len(row.shown) + len(row.response_A or "") + len(row.response_B or "")
    return round(characters / catalog.assumptions().characters_per_token.value)
