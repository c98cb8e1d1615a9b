"""Names that other tools give the columns a run reads, from `data/column_names.json`."""

import re
import unicodedata

import msgspec

from nova_judge.folders import data_file

__all__ = ["plain_name", "words_of"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Names(msgspec.Struct, frozen=True):
    """The names that are known; in the order in which one is taken, where order matters."""

    questions: tuple[str, ...]
    references: tuple[str, ...]
    answers: tuple[str, ...]
    couples: tuple[tuple[str, str], ...]
    sides: tuple[tuple[str, str], ...]
    asked_with: dict[str, tuple[str, ...]]
    models: frozenset[str]
    answer_words: frozenset[str]
    reference_words: frozenset[str]
    words_about_answers: frozenset[str]


names = data_file("column_names.json", Names)
"""The names that are known."""


def words_of(name: str) -> list[str]:
    """The Latin words and numbers of a name, whatever their case, accents and signs.

    >>> words_of("responseA")
    ['response', 'a']
    """
    letters = (it for it in unicodedata.normalize("NFKD", name) if not unicodedata.combining(it))
    return [word.lower() for word in _WORDS.findall("".join(letters))]


def plain_name(name: str) -> str:
    """A name, or a path, without case and signs.

    >>> plain_name("Response A") == plain_name("response_a")
    True
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).lower()
