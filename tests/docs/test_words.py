"""Documents, messages, help texts and docstrings keep to the words of docs/words.toml."""

import ast
import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = tomllib.loads((ROOT / "docs/words.toml").read_text("utf-8"))["rule"]
DOCUMENTS = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md"),
    *("docs/*.md", "docs/*/*.md", "recipes/*.yaml", "nova_judge/report/templates/*.html*"),
)
PROGRAMS = ("nova_judge", "nova_judge_local", "lambdas", "stacks", "scorers")


@functools.cache
def documents() -> tuple[tuple[str, int, str], ...]:
    return tuple(_documents())


@functools.cache
def programs() -> tuple[tuple[str, int, str], ...]:
    return tuple(_programs())


def _documents() -> Iterator[tuple[str, int, str]]:
    """Every line of prose, with its file and number; lines of code blocks are left out."""
    for pattern in DOCUMENTS:
        for file in sorted(ROOT.glob(pattern)):
            in_code = False
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
                if line.lstrip().startswith("```"):
                    in_code = not in_code
                elif not in_code:
                    yield str(file.relative_to(ROOT)), number, line


def _programs() -> Iterator[tuple[str, int, str]]:
    """Every text of a program with a blank in it: docstrings, messages, help; and every comment."""
    for package in PROGRAMS:
        for file in sorted((ROOT / package).rglob("*.py")):
            source, name = file.read_text("utf-8"), str(file.relative_to(ROOT))
            for node in ast.walk(ast.parse(source)):
                text = node.value if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and " " in text:
                    yield name, node.lineno, text
            for number, line in enumerate(source.splitlines(), 1):
                if "# " in line:
                    yield name, number, line.partition("# ")[2]


@pytest.mark.parametrize("rule", RULES, ids=[rule["write"] for rule in RULES])
def test_the_words_are_plain(rule):
    avoid = re.compile(rule["avoid"], re.IGNORECASE)
    texts = (*documents(), *programs())

    used = [
        f"{file}:{number}: {' '.join(text[max(0, match.start() - 40) : match.end() + 20].split())}"
        for file, number, text in texts
        for match in avoid.finditer(text)
    ]

    assert used == [], f"write instead: {rule['write']}"


def test_the_rules_are_tried():
    assert re.search(RULES[0]["avoid"], "what it is told")
    assert len(documents()) > 1000
    assert len(programs()) > 3000
