"""The head of an input file: whether its rows can be used and fit, and who answers them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from nova_judge.check import Check
from nova_judge.errors import InputFileError
from nova_judge.inputs import dataset
from nova_judge.inputs.reading import FIELDS, FROM_FILE, GENERATED, AnswerSources, reading_of
from nova_judge.inputs.unread_columns import check_columns
from nova_judge.json_lines import whole_lines
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import (
    FailedRow,
    InputRow,
    Rejected,
    as_rejected,
)
from nova_judge.sources.answers_file import how_to_bring
from nova_judge.text import count_of


class InputHead(NamedTuple):
    """The first bytes of an input file, its size, who answers its rows, and columns not read."""

    content: bytes
    size: int
    sources: AnswerSources
    unread: tuple[str, ...] = ()


SEE_VALIDATE = "`nova-judge validate` lists every line that cannot be used"
NO_FILE = InputHead(b"", 0, FROM_FILE)


def read_head(
    recipe: Recipe | None,
    uri: str,
    size: int,
    read: Callable[[int], bytes],
    least: int = dataset.HEAD_BYTES,
) -> InputHead:
    """The head of the file that a recipe reads: `least` bytes, more where these hold no usable row.

    `read(n)` gives the file's first n bytes; without a recipe the file is pairs or prompts. Raises
    InputFileError where columns seem to hold what is not read, or no row of the head can be used.
    """

    def is_usable(content: bytes) -> bool:
        return sources_of(recipe, content) is not None

    head = dataset.usable_head(read, is_usable, least)
    unread = unread_of(recipe, head, uri)
    sources = sources_of(recipe, head)
    if sources is None:
        fault = _first_fault(recipe, head, FROM_FILE)
        reason = f"line {fault.line}: {fault.reason}" if fault else "it holds blank lines only"
        of_recipe = f" for recipe {recipe.name}" if recipe else ""
        raise InputFileError(
            f"{uri}: no usable row{of_recipe} in the first {len(head):,} bytes: {reason}. "
            f"{how_to_bring(recipe, fault) or SEE_VALIDATE}"
        )
    return InputHead(head, size, sources, unread)


def why_none(recipe: Recipe, head: InputHead) -> str:
    """The reason why no line of a head can be used, and what to do."""
    fault = _first_fault(recipe, head.content, head.sources)
    reason = f"line {fault.line}: {fault.reason}. " if fault else ""
    return f"{reason}{how_to_bring(recipe, fault) or SEE_VALIDATE}"


def _first_fault(recipe: Recipe | None, head: bytes, sources: AnswerSources) -> Rejected | None:
    lines = rows_of(recipe, [head], len(head), sources)
    return next((as_rejected(x) for x in lines if isinstance(x, Rejected | FailedRow)), None)


def sources_of(recipe: Recipe | None, head: bytes) -> AnswerSources | None:
    """The sources of the answers in a file that begins with `head`; None where no row is usable."""
    if recipe is None:
        return dataset.sources_of_file(head)
    return kind_of(recipe.kind).sources(recipe, head)


def unread_of(recipe: Recipe | None, head: bytes, uri: str) -> tuple[str, ...]:
    """The columns that are not read. Raises InputFileError where they seem to be needed."""
    fields = FIELDS if recipe is None else kind_of(recipe.kind).fields
    asks = (recipe is None or kind_of(recipe.kind).generates) and "generated" in (
        sources_of(recipe, head) or GENERATED
    )
    rows = dataset.first_rows(head, reading_of(recipe).columns)
    return check_columns(rows, uri, fields, asks=asks)


def rows_of(
    recipe: Recipe | None, chunks: Iterable[bytes], size: int, sources: AnswerSources
) -> Iterator[Any]:
    """The rows of a file of `size` bytes as the recipe's kind reads them, and rejected lines."""
    if recipe is None:
        return dataset.read_rows(chunks, size, sources)
    return kind_of(recipe.kind).rows(recipe, chunks, size, sources)


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
        advice = how_to_bring(recipe, next(iter(rejected), None)) or "see `nova-judge validate`"
        return Check("input", "fail", f"no usable row: {reason}", advice)
    context = catalog.compatibility().judge_context_tokens
    longest = max((_tokens(row) for row in rows if isinstance(row, InputRow)), default=0)
    summary = f"{count_of(len(rows), 'usable row')} in the first {len(seen):,} of {size:,} bytes"
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
