"""`scores.parquet` of a scoring run, read again."""

from pathlib import Path

from nova_judge.parquet import connect
from nova_judge.records import Unscored
from nova_judge.scores.table import AnswerScore

_OTHERS = tuple(name for name in AnswerScore._fields if name != "result")


def read_scores(path: Path) -> list[AnswerScore]:
    """Every score of the file, in its order; `result` is the number, the word or why there is none.

    Raises duckdb.Error where the file cannot be read.
    """
    with connect() as connection:
        found = connection.execute(
            f"SELECT score, word, unscored, {', '.join(_OTHERS)} "  # noqa: S608 (our own names)
            "FROM read_parquet($path)",
            {"path": str(path)},
        )
        return [
            AnswerScore(
                result=_result(score, word, unscored), **dict(zip(_OTHERS, others, strict=True))
            )
            for score, word, unscored, *others in found.fetchall()
        ]


def _result(score: float | None, word: str | None, unscored: str | None) -> float | str | Unscored:
    if unscored is not None:
        return Unscored(unscored)
    return score if score is not None else word or ""
