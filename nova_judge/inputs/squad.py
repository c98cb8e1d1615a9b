"""The questions of an official SQuAD file, as the posts about the judge take them.

https://rajpurkar.github.io/SQuAD-explorer/; licence CC BY-SA 4.0.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from nova_judge.errors import InputFileError

LICENCE = "CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/)"


class _Answer(msgspec.Struct):
    text: str


class _Question(msgspec.Struct):
    id: str
    question: str
    answers: list[_Answer] = []
    is_impossible: bool = False


class _Paragraph(msgspec.Struct):
    context: str
    qas: list[_Question]


class _Article(msgspec.Struct):
    title: str
    paragraphs: list[_Paragraph]


class _Squad(msgspec.Struct):
    data: list[_Article]
    version: str = ""


class SquadRow(msgspec.Struct, omit_defaults=True):
    """One question, with the first of its right answers."""

    id: str
    prompt: str
    reference: str
    category: str
    context: str | None = None


def squad_rows(path: Path, *, context: bool) -> Iterator[SquadRow]:
    """The questions that have an answer, in the order of the file.

    `context`: with the passage that answers them. Raises InputFileError for another file.
    """
    try:
        squad = msgspec.json.decode(path.read_bytes(), type=_Squad)
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise InputFileError(
            f"{path} is not an official SQuAD file such as dev-v1.1.json: {error}"
        ) from error
    for article in squad.data:
        for paragraph in article.paragraphs:
            for question in paragraph.qas:
                if question.answers and not question.is_impossible:
                    yield SquadRow(
                        id=question.id,
                        prompt=question.question.strip(),
                        reference=question.answers[0].text,
                        category=article.title,
                        context=paragraph.context if context else None,
                    )
