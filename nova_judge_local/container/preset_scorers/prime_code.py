"""Stand-in for `prime_code`: does the program in the answer pass the row's test cases?

`metadata` is as AWS documents it: `{"fn_name", "inputs", "outputs"}`, each input one argument a
line, inputs and outputs written as JSON or Python literals. Without `fn_name` the program reads
standard input and prints. The original is the scorer of the same name in verl; docs/scoring.md
says how often both agree.
"""

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

from nova_judge.records import Unscored
from nova_judge.scores.programs import Tests, passed_tests
from nova_judge.thoughts import without_thoughts

_FENCED = re.compile(r"```[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_PYTHON = ("python", "python3", "py", "py3")


def score_program(row: Mapping[str, Any], seconds: float) -> dict[str, float] | Unscored:
    """1 when every test passes, else 0; and the share of tests that pass."""
    tests = tests_in(row.get("metadata"))
    if isinstance(tests, Unscored):
        return tests
    passed = passed_tests(program_in(str(row.get("answer") or "")), tests, seconds)
    return {"prime_code": float(all(passed)), "tests_passed": sum(passed) / len(passed)}


def tests_in(metadata: object) -> Tests | Unscored:
    """The tests that a row's metadata hold."""
    try:
        cases = json.loads(metadata) if isinstance(metadata, str) else metadata
    except ValueError:
        cases = None
    if not isinstance(cases, Mapping) or not isinstance(cases.get("inputs"), list):
        return Unscored("metadata has no test cases: inputs and outputs are needed")
    inputs, outputs, name = cases["inputs"], cases.get("outputs"), cases.get("fn_name")
    if not inputs or not isinstance(outputs, list) or len(inputs) != len(outputs):
        count = len(outputs) if isinstance(outputs, list) else "no"
        return Unscored(f"metadata has {len(inputs)} inputs and {count} outputs")
    return Tests(inputs, outputs, None if name is None else str(name))


def program_in(answer: str) -> str:
    """The last block of Python, closed or cut off; of other blocks the last that is a program."""
    text = without_thoughts(answer).text
    blocks: list[tuple[str, str]] = [
        (language.lower(), code) for language, code in _FENCED.findall(text)
    ]
    python: list[str] = [code for language, code in blocks if language in _PYTHON]
    if python:
        return python[-1]
    bare = [code for language, code in blocks if not language]
    programs = [code for code in bare if _is_program(code)] or bare
    return programs[-1] if programs else text


def _is_program(code: str) -> bool:
    """True if it is Python that does something: an example's output is often a literal."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(not isinstance(part, ast.Expr) or isinstance(part.value, ast.Call) for part in body)
