"""Labels as people and tools write them in files: of input rows, and of verdicts in `stats`.

What a judge writes is read by `verdict_labels`; files add words that only a label can mean.
"""

import functools
from typing import Final

from nova_judge.records import Verdict
from nova_judge.verdict_labels import parse_verdict

__all__ = ["is_no_verdict", "names_candidate", "names_side", "read_label"]

LONGEST = 60
"""Characters of a label; a longer text is prose."""

KNOWN = "A, B, tie, both_bad, A>B, B>A, A=B, A>>B, [[A]], model_a, Response B, left, first"
"""Spellings to name where one cannot be read."""

_WORDS: Final[dict[str, Verdict]] = {
    **dict.fromkeys(("left", "first", "output_1", "response_1", "model_1"), Verdict.A),
    **dict.fromkeys(("right", "second", "output_2", "response_2", "model_2"), Verdict.B),
    **dict.fromkeys(("c", "[[c]]", "=", "ties", "same", "equally good", "both"), Verdict.TIE),
    **dict.fromkeys(("neither", "none is good", "both are bad"), Verdict.BOTH_BAD),
}


_OF_CANDIDATES: Final = frozenset(
    ("a", "b", "model_1", "model_2", "output_1", "output_2", "response_1", "response_2")
)
_NO_VERDICT: Final = frozenset(
    (
        "error",
        "none",
        "null",
        "nan",
        "n/a",
        "na",
        "-1",
        "invalid",
        "failed",
        "$error$",
        "no verdict",
    )
)


def names_candidate(text: str) -> bool:
    """True if a label speaks of the candidate whatever the order shown was.

    >>> names_candidate("B"), names_candidate("A>B")
    (True, False)
    """
    return text.strip().lower() in _OF_CANDIDATES


def names_side(text: str) -> bool:
    """True if a label is a word for one side, not a comparison such as `A>B`.

    >>> names_side("model_b"), names_side("B>A"), names_side("tie")
    (True, False, False)
    """
    is_word = not set(text) & set("<>=[")
    return is_word and len(text) <= LONGEST and read_label(text) in (Verdict.A, Verdict.B)


def is_no_verdict(text: str) -> bool:
    """True if tools write this word where a judge gave no verdict.

    >>> is_no_verdict("error"), is_no_verdict("tie")
    (True, False)
    """
    return text.strip().lower() in _NO_VERDICT


@functools.lru_cache(maxsize=1024)
def read_label(text: str) -> Verdict | None:
    """The verdict that a label names, said of the order shown; None where it names none.

    Digits are not a label: they may count from 0 or from 1.

    >>> read_label("[[A>>B]]").value, read_label("2") is None
    ('A', True)
    """
    if len(text) > LONGEST:
        return None
    word = _WORDS.get(text.strip().lower())
    verdict = word or parse_verdict(text)
    return verdict if isinstance(verdict, Verdict) else None
