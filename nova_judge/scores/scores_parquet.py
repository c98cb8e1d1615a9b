"""`scores.parquet` of a scoring run: one line per subject, metric and row."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from nova_judge.parquet import check_expansion, connect_to, rows_of, write_parquet
from nova_judge.records import Unscored
from nova_judge.scores.table import AnswerScore

COLUMNS: Final[dict[str, str]] = {
    "subject": "VARCHAR",
    "metric": "VARCHAR",
    "row": "BIGINT",
    "id": "VARCHAR",
    "category": "VARCHAR",
    "score": "DOUBLE",
    "word": "VARCHAR",
    "unscored": "VARCHAR",
    "explanation": "VARCHAR",
    "prompt": "VARCHAR",
    "answer": "VARCHAR",
    "reference": "VARCHAR",
    "cluster": "VARCHAR",
}
"""Columns in their order; of `score`, `word` and `unscored` (why there is none) one is set."""

_OTHERS = tuple(name for name in AnswerScore._fields if name != "result")


def write_scores(scores: Iterable[AnswerScore], path: Path) -> int:
    """Write `path` and return the number of scores. Equal scores give equal bytes."""
    return write_parquet(path, COLUMNS, map(_columns, scores))


def read_scores(path: Path, metric: str | None = None) -> list[AnswerScore]:
    """Every score of the file, in its order; `result` is the number, the word or why there is none.

    With `metric` the scores by that one alone. Raises duckdb.Error where the file cannot be read.
    """
    with connect_to(path) as connection:
        check_expansion(connection, path)
        there = connection.read_parquet(str(path)).columns
        # An earlier version's file has no clusters.
        chosen = ", ".join(name if name in there else "NULL" for name in _OTHERS)
        result = connection.execute(
            f"SELECT score, word, unscored, {chosen} FROM read_parquet($path) "  # noqa: S608 (ours)
            "WHERE $metric IS NULL OR metric = $metric",
            {"path": str(path), "metric": metric},
        )
        return [
            AnswerScore(
                result=_result(score, word, unscored), **dict(zip(_OTHERS, others, strict=True))
            )
            for score, word, unscored, *others in rows_of(result)
        ]


def _columns(score: AnswerScore) -> dict[str, str | float | None]:
    result = score.result
    return {name: getattr(score, name) for name in _OTHERS} | {
        "score": result if isinstance(result, float | int) else None,
        "word": result if isinstance(result, str) else None,
        "unscored": result.reason if isinstance(result, Unscored) else None,
    }


def _result(score: float | None, word: str | None, unscored: str | None) -> float | str | Unscored:
    if unscored is not None:
        return Unscored(unscored)
    return score if score is not None else word or ""
