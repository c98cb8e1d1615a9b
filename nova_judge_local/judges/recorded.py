"""Answers recorded in files of any form that is read, `{model, prompt, response}` per row."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from nova_judge.errors import LocalModeError
from nova_judge.inputs.input_file import require_records

_ROWS = re.compile(r"^[^.].*\.(jsonl|ndjson|json|csv|tsv|parquet)(\.gz)?$")
_FORM = 'A line is {"model": "…", "prompt": "…", "response": "…"}.'


class _Recorded(msgspec.Struct):
    model: str
    prompt: str
    response: str


class RecordedAnswers:
    """Recorded answers, by model and prompt. An answer that was not recorded is never made up.

    A model goes by its whole name or by the last part of it, whatever the case:
    `Qwen/Qwen2.5-1.5B-Instruct` and `qwen2.5-1.5b-instruct` are one model, `nova-micro/prod` and
    `nova-lite/prod` are two. Raises LocalModeError for a line that is none.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._answers: dict[tuple[str, str], str] = {}
        self._by_last_part: dict[tuple[str, str], str] = {}
        for file in files:
            for line in require_records(file, _Recorded, LocalModeError, _FORM):
                self._answers[_name(line.model), line.prompt] = line.response
                self._by_last_part[_last_part(line.model), line.prompt] = line.response

    def answer(self, models: Iterable[str], prompt: str) -> str:
        """The answer of the first of `models` that has one; LocalModeError without any."""
        asked = tuple(models)
        for model in asked:
            for held, name in (
                (self._answers, _name(model)),
                (self._answers, _last_part(model)),
                (self._by_last_part, _name(model)),
            ):
                if (name, prompt) in held:
                    return held[name, prompt]
        raise LocalModeError(
            f"No answer of {asked[0]} is recorded for this prompt: {prompt[:80]!r}. Add it to the "
            "file given with --answers (examples/answers has some), or let a model answer with "
            "--endpoints."
        )


def answer_files(path: Path) -> tuple[str, ...]:
    """The files meant by `--answers`: one file, or every file of rows in a folder."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if _ROWS.search(file.name))
    if not files or not all(file.is_file() for file in files):
        raise LocalModeError(f"{path} is neither a file of recorded answers nor a folder of them.")
    return tuple(str(file.resolve()) for file in files)


def _name(model: str) -> str:
    return model.rstrip("/").lower()


def _last_part(model: str) -> str:
    return _name(model).rsplit("/", 1)[-1]
