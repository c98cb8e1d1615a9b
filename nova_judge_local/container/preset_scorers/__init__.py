"""Stand-ins for the scorers that AWS's container brings along: `prime_math` and `prime_code`."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from nova_judge.records import Unscored
from nova_judge.scores.scorer_sandbox import DEFAULT_LIMITS, score_rows
from nova_judge.thoughts import without_thoughts
from nova_judge_local.container.preset_scorers.prime_code import score_program

NAMES = ("prime_math", "prime_code")
_ROWS_PER_PROCESS = 1_000
"""Sympy takes as long to load as it takes to compare two hundred rows."""


def preset_scores(
    name: str, rows: Sequence[dict[str, Any]], seconds: float = DEFAULT_LIMITS.row_seconds
) -> Iterator[dict[str, float] | Unscored]:
    """The scores of each row in order. An answer that is a program has a process of its own."""
    if name == "prime_code":
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            yield from pool.map(partial(score_program, seconds=seconds), rows)
    else:
        path = Path(__file__).with_name(f"{name}.py")
        answers = [row | {"answer": _answer(row)} for row in rows]
        limits = DEFAULT_LIMITS._replace(row_seconds=seconds, rows_per_process=_ROWS_PER_PROCESS)
        yield from score_rows(path, answers, limits)


def _answer(row: dict[str, Any]) -> str:
    return without_thoughts(str(row.get("answer") or "")).text
