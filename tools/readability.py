"""Readability of the documents: `python tools/readability.py` prints a line per page and the whole.

Flesch's reading ease is 206.8 - 1.015 words per sentence - 84.6 syllables per word (Flesch 1948):
60 to 70 is plain English, higher is easier. Code, tables and headings are left out; syllables are
counted by groups of vowels, so that only differences between texts mean something.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md", "docs/*/*.md")
LEFT_OUT = ("docs/licences.md", "docs/decisions/")


class Readability(NamedTuple):
    """Figures of a text: words, words per sentence, Flesch's reading ease."""

    words: int
    per_sentence: float
    ease: float


def prose_of(page: str) -> str:
    """The sentences of a Markdown page; a heading or a list item ends the one before it."""
    page = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    page = re.sub(r"^(?:[|#<]|!!!|    |---).*$", "\n", page, flags=re.MULTILINE)
    page = re.sub(r"^\s*(?:[-*]|\d+\.) ", "\n", page, flags=re.MULTILINE)
    page = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", page)
    return re.sub(r"`[^`]*`", "code", page).replace("*", "")


def readability_of(prose: str) -> Readability:
    """The figures of a text of one sentence or more."""
    sentences = [part for part in re.split(r"[.!?]\s+|\n\s*\n", prose) if re.search("[a-z]", part)]
    words = re.findall(r"[A-Za-z][A-Za-z'-]*", prose)
    per_sentence = len(words) / len(sentences)
    syllables = sum(map(_syllables, words)) / len(words)
    ease = 206.835 - 1.015 * per_sentence - 84.6 * syllables
    return Readability(len(words), per_sentence, ease)


def pages() -> dict[str, str]:
    """The prose of each page, by its path."""
    files = (file for pattern in PAGES for file in sorted(ROOT.glob(pattern)))
    named = {str(file.relative_to(ROOT)): file for file in files}
    return {
        name: prose_of(file.read_text("utf-8"))
        for name, file in named.items()
        if not name.startswith(LEFT_OUT)
    }


def _syllables(word: str) -> int:
    spoken = re.sub(r"(?:[^laeiouy]es|ed|[^laeiouy]e)$", "", word.lower()) or word.lower()
    return max(1, len(re.findall("[aeiouy]+", spoken)))


if __name__ == "__main__":
    read = pages()
    for name, prose in {**read, "all": "\n\n".join(read.values())}.items():
        words, per_sentence, ease = readability_of(prose)
        print(f"{words:6,} words  {per_sentence:4.1f} per sentence  ease {ease:3.0f}  {name}")  # noqa: T201
