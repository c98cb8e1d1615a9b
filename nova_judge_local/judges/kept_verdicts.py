"""Outputs of a judge's model, kept by content: a second run asks only for what is missing.

One JSON Lines file beside the output folder; a line is `{"key", "text"}`. Only finished outputs are
kept. A line that was cut off when a run was ended is asked for again.
"""

import hashlib
import threading
from pathlib import Path

import msgspec

from nova_judge_local.judges.pair_judges import PairJudge, Shown, VerdictForm, judge_prompt

FILE = "verdicts.jsonl"


class _Line(msgspec.Struct):
    key: str
    text: str


class KeptVerdicts:
    """A judge that looks into the file before it asks."""

    def __init__(self, judge: PairJudge, folder: Path, settings: str = "") -> None:
        self._judge, self._settings = judge, settings
        self.name = judge.name
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE
        self._texts = _read(self._path)
        self._lock = threading.Lock()

    def output(self, shown: Shown, form: VerdictForm) -> str:
        """The text that is kept, else what the judge writes now."""
        asked = "\n".join((self.name, self._settings, form, judge_prompt(shown, form)))
        key = hashlib.blake2b(asked.encode("utf-8", "replace"), digest_size=20).hexdigest()
        if key in self._texts:
            return self._texts[key]
        text = self._judge.output(shown, form)
        line = msgspec.json.encode(_Line(key, text)) + b"\n"
        with self._lock, self._path.open("ab") as file:
            file.write(line)
        return text


def _read(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    if not path.is_file():
        path.touch()
    if (content := path.read_bytes()) and not content.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")
    for line in content.splitlines():
        try:
            kept = msgspec.json.decode(line, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        texts[kept.key] = kept.text
    return texts
