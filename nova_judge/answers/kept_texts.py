"""Texts that models wrote, kept by content on this machine: what is asked again is read instead.

One JSON Lines file, a line `{"key", "text"}`. Processes may append at once; a line that was cut off
when one was ended is asked for again.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from nova_judge.answers.answers import Answer, Setback


class _Line(msgspec.Struct):
    key: str
    text: str


_decoder = msgspec.json.Decoder(_Line)


class KeptTexts:
    """The texts in one file, which is made with its folder where it is not there."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._texts = _read(path)
        self._lock = threading.Lock()

    def find(self, asked: str) -> str | None:
        """The text that was kept for what is asked."""
        return self._texts.get(_key(asked))

    def keep(self, asked: str, text: str) -> None:
        """Keep a text, from any thread."""
        key = _key(asked)
        line = msgspec.json.encode(_Line(key, text)) + b"\n"
        with self._lock:
            self._texts[key] = text
            # One write to a file that is open for appending: other processes do so too.
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, line)
            finally:
                os.close(file)


class KeptAnswers:
    """`answers.Journal` over `KeptTexts`: a second run asks only for what is missing.

    `name` is that of the model as it is asked; `answered` is called with each answer.
    """

    def __init__(self, path: Path, name: str, answered: Callable[[], None]) -> None:
        self._kept, self._name, self._answered = KeptTexts(path), name, answered

    def find(self, prompts: Sequence[str]) -> Mapping[str, Answer]:
        """The kept answers among those to `prompts`."""
        answers: dict[str, Answer] = {}
        for prompt in prompts:
            text = self._kept.find(self._asked(prompt))
            if text is not None:
                answers[prompt] = msgspec.json.decode(text, type=Answer)
                self._answered()
        return answers

    def setbacks(self, prompts: Sequence[str]) -> Mapping[str, Setback]:
        """None: whoever starts a command again wants failed rows asked again."""
        del prompts
        return {}

    def set_back(self, setbacks: Mapping[str, Setback]) -> None:
        """Nothing is kept of what failed."""

    def add(self, prompt: str, answer: Answer) -> None:
        """Keep one answer, from any thread."""
        self._kept.keep(self._asked(prompt), msgspec.json.encode(answer).decode())
        self._answered()

    def flush(self) -> None:
        """Everything is written as it comes."""

    def _asked(self, prompt: str) -> str:
        return f"{self._name}\n{prompt}"


def _key(asked: str) -> str:
    return hashlib.blake2b(asked.encode("utf-8", "replace"), digest_size=20).hexdigest()


def _read(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    content = path.read_bytes() if path.is_file() else b""
    if content and not content.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")
    for line in content.splitlines():
        try:
            kept = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        texts[kept.key] = kept.text
    return texts
