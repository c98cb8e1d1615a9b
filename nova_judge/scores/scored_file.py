"""Files of answers that a custom scorer is tried on: a container's, pairs, or plain answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nova_judge.errors import ScorerError
from nova_judge.inputs.input_file import readable
from nova_judge.json_lines import Fault, read_lines
from nova_judge.records import Unscored
from nova_judge.scores.scorers import NO_SAMPLE, SampleRow

FORMS = (
    "a line is {prompt, answer, reference?, metadata?}, what the container writes "
    "{prompt, inference, gold, metadata?}, or a pair {prompt, response_A, response_B, reference?}"
)


class ScorerRow(NamedTuple):
    """One answer to be scored: whose it is, where it stands, and what the scorer gets.

    `fault` says why the line has no answer.
    """

    subject: str
    line: int
    row: SampleRow
    fault: Unscored | None = None


class _Line(msgspec.Struct):
    prompt: str = ""
    query: str = ""
    answer: str | None = None
    inference: str | None = None
    reference: str | None = None
    gold: str | None = None
    response_A: str | None = None
    response_B: str | None = None
    metadata: Any = None


def read_answers(file: Path) -> list[ScorerRow]:
    """Every answer of the file; a line without one is a row with its fault.

    Raises ScorerError with the first line and what is expected where no line has an answer.
    """
    if not file.is_file():
        raise ScorerError(f"{file} is not a file: give the path of a file of answers; {FORMS}")
    with readable(file, ScorerError) as plain, plain.open("rb") as lines:
        rows = [row for number, line in read_lines(lines, _Line) for row in _rows(number, line)]
    subjects = list(dict.fromkeys(row.subject for row in rows if row.fault is None))
    if rows and not subjects:
        reason = rows[0].fault.reason if rows[0].fault else ""
        raise ScorerError(f"{file}, line {rows[0].line}: {reason}; {FORMS}")
    return [
        named
        for row in rows
        for named in ([row] if row.fault is None else [row._replace(subject=s) for s in subjects])
    ]


def _rows(number: int, line: _Line | Fault) -> Iterator[ScorerRow]:
    answers = {} if isinstance(line, Fault) else _answers(line)
    if isinstance(line, Fault) or not answers:
        reason = line.reason if isinstance(line, Fault) else "it has no answer"
        yield ScorerRow("", number, NO_SAMPLE, Unscored(f"the line cannot be used: {reason}"))
        return
    for subject, answer in answers.items():
        yield ScorerRow(subject, number, _row(line, answer))


def _answers(line: _Line) -> dict[str, str]:
    answer = line.answer if line.answer is not None else line.inference
    if answer is not None:
        return {"answer": answer}
    sides = {"A": line.response_A, "B": line.response_B}
    return {side: text for side, text in sides.items() if text is not None}


def _row(line: _Line, answer: str) -> SampleRow:
    reference = line.reference if line.reference is not None else line.gold
    return SampleRow(line.prompt or line.query, answer, reference or "", line.metadata)
