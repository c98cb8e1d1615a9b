"""Limits of size: of files and functions, and of how often a record is only a dict of anything."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("nova_judge", "nova_judge_local", "lambdas", "stacks", "benchmarks", "scorers")
MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 50
MOST_OPEN_DICTS = 100
OPEN_DICT = re.compile(r"\b(?:dict|Mapping)\[str, (?:Any|object)\]")
AT_AN_EDGE = {
    *("inputs", "sources", "aws", "kinds", "runs", "steps"),  # files of others, servers, AWS
    *("pairs", "scores", "findings", "report", "cli"),  # a judge's texts, scorers, files for others
    *("recipe", "answers", "parquet.py", "records.py"),
}


def sources(*packages: str) -> dict[str, str]:
    """Path from the root → source."""
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    return {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in files}


def test_no_file_is_longer_than_three_hundred_lines():
    lengths = {path: source.count("\n") for path, source in sources(*CODE).items()}
    assert len(lengths) > 300
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_longer_than_fifty_lines():
    lengths = {
        f"{path}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, source in sources(*CODE).items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }
    assert len(lengths) > 2_000
    assert {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_FUNCTION} == {}
