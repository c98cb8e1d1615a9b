"""Numbers with their nouns: one row, two rows, in every message of the product."""

import ast
import re
from pathlib import Path

import pytest

from nova_judge.text import count_of

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("nova_judge", "nova_judge_local", "lambdas", "stacks")
COUNTED = re.compile(
    r" (rows|lines|files|jobs|runs|prompts|answers|pairs|labels|records|questions"
    r"|objects|ids|groups)\b(?! a second|/s| on | only on )"
)
NO_BARE_COUNT = re.compile(r"[A-Z_]+\Z|count_of\(")
"""Limits of ours are named in capitals, and none of them is one."""


def bare_counts(source: str) -> list[str]:
    """Expressions of f-strings that stand before a plural as bare numbers."""
    found = []
    for text in ast.walk(ast.parse(source)):
        for value, after in (
            zip(text.values, text.values[1:], strict=False)
            if isinstance(text, ast.JoinedStr)
            else ()
        ):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                expression = ast.unparse(value.value)
                if COUNTED.match(after.value) and not NO_BARE_COUNT.match(expression):
                    found.append(f"{{{expression}}}{after.value[:20]}")
    return found


def test_no_message_counts_one_rows():
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    found = {str(file.relative_to(ROOT)): bare_counts(file.read_text("utf-8")) for file in files}
    assert len(files) > 250
    assert {file: counts for file, counts in found.items() if counts} == {}


def test_no_page_counts_one_rows():
    templates = sorted((ROOT / "nova_judge/report/templates").glob("*.j2"))
    plural = re.compile(r"\| thousands }}" + COUNTED.pattern)
    assert len(templates) > 15
    assert [file.name for file in templates if plural.search(file.read_text("utf-8"))] == []


def test_a_bare_count_is_found():
    source = 'f"{len(rows):,} rows, {MOST_ROWS} rows, {rate} rows a second, {count_of(1, name)}"'
    assert bare_counts(source) == ["{len(rows)} rows, "]


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (2_000, ("row",), "2,000 rows"),
        (1, ("row has", "rows have"), "1 row has"),
        (3, ("row has", "rows have"), "3 rows have"),
    ],
)
def test_a_number_stands_before_the_noun_that_it_needs(number, words, said):
    assert count_of(number, *words) == said
