"""The lines of `inference_output.jsonl`, one an answer; an odd line costs its own row."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nova_judge.json_lines import lines_of
from nova_judge.records import Unscored
from nova_judge.text import storable

NO_ANSWER = Unscored("the container gave no answer")
_REASON = 300  # characters
_NOT_A_TEXT = Unscored("the container's answer is not a text")


class InferenceLine(NamedTuple):
    """Contents of a line: the answer, or why it is missing, and what it was asked with."""

    answer: str | Unscored
    gold: str = ""
    prompt: str = ""


def inference_lines(path: Path) -> Iterator[InferenceLine | Unscored]:
    """Every line but blank ones, in order; a line that cannot be read is its own row's reason."""
    with path.open("rb") as file:
        for _, content in lines_of(file):
            yield _line(content or b"")


def _line(content: bytes) -> InferenceLine | Unscored:
    try:
        # Python's reader takes what the container's writer may leave: nan, half of a surrogate pair
        value = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        return Unscored("the container's line is not UTF-8")
    except (ValueError, RecursionError):
        return Unscored("the container's line is not JSON")
    if not isinstance(value, dict):
        return Unscored("the container's line is not a JSON object")
    answer = _answer(value.get("inference"))
    if answer == NO_ANSWER and isinstance(value.get("error"), str):  # our stand-in says why
        answer = Unscored(storable(value["error"])[:_REASON])
    return InferenceLine(answer, _text(value.get("gold")), _text(value.get("prompt")))


def _answer(value: Any) -> str | Unscored:  # noqa: ANN401
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return NO_ANSWER
    return storable(value) if isinstance(value, str) else _NOT_A_TEXT


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return storable(value if isinstance(value, str) else "" if value is None else json.dumps(value))
