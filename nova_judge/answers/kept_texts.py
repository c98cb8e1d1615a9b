"""Texts that models wrote, kept by content on this machine: what is asked again is read instead.

One JSON Lines file, a line `{"key", "text"}`. Processes may append at once; a line that was cut off
when one was ended is asked for again.
"""

import hashlib
import os
import threading
from pathlib import Path

import msgspec


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
