"""Exact match and token F1 as SQuAD defines them, carried over to other scripts.

P. Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text", 2016, and its
`evaluate-v1.1.py`: lower case, no punctuation, no English articles, single blanks; F1 over the bag
of tokens. On English text this is that, but for what the script gets wrong: an answer or a
reference of articles or signs alone is compared as it stands (SQuAD 2.0: equal ones are right), a
minus before a number stays, and so does a point, a slash or a colon between digits. Beyond English:
Unicode's forms, dashes, quotes and punctuation are one, and in scripts without blanks each
character is a token.
"""

import re
import unicodedata
from collections import Counter
from typing import NamedTuple

from nova_judge.thoughts import without_thoughts

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NUMBER = re.compile(r"(?<![\w.,])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w])")
_RANGE = re.compile(r"(?<=\d)-(?=\d)")
_GROUPED = re.compile(r"(?<=\d)[ '](?=\d{3}(?!\d))")
_WITHOUT_BLANKS = re.compile(  # Thai, Lao, Myanmar, Khmer, kana and Han
    r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\U00020000-\U0003ffff])"
)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"), "-")
_BETWEEN = re.compile("(?<=\\d)[/\u2044:.](?=\\d)")  # 1/2 is not 12, 12:30 not 1230
_KEPT = {"-": "\ue000", ".": "\ue001", "/": "\ue002", "\u2044": "\ue002", ":": "\ue003"}
"""What stands in for the signs of a number while punctuation goes."""


class Tokens(NamedTuple):
    """An answer's tokens and the reference's, taken apart in the same way."""

    given: list[str]
    wanted: list[str]


def tokens(answer: str, reference: str) -> Tokens:
    """Both as tokens, without articles and signs unless the reference consists of them.

    Thoughts before the answer are not part of it.
    """
    text = without_thoughts(answer).text
    for take_apart in (_words, _words_with_articles, _signs):
        if wanted := take_apart(reference):
            return Tokens(take_apart(text), wanted)
    return Tokens(_signs(text), [])


def exact_match(answer: str, reference: str) -> bool:
    """True if both have the same tokens in the same order."""
    both = tokens(answer, reference)
    return both.given == both.wanted


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of token precision and recall, in [0, 1]."""
    given, wanted = tokens(answer, reference)
    shared = (Counter(given) & Counter(wanted)).total()
    return 2 * shared / (len(given) + len(wanted)) if shared else 0.0


def _words(text: str) -> list[str]:
    return _split(_ARTICLES.sub(" ", _bare(text)))


def _words_with_articles(text: str) -> list[str]:
    return _split(_bare(text))


def _signs(text: str) -> list[str]:
    return _split(unicodedata.normalize("NFKC", text).lower())


def _split(text: str) -> list[str]:
    return _WITHOUT_BLANKS.sub(r" \1 ", text).split()


def _bare(text: str) -> str:
    """The text in lower case without punctuation, numbers in one spelling."""
    text = unicodedata.normalize("NFKC", text).lower().translate(_DASHES)
    text = _NUMBER.sub(_kept, _RANGE.sub(" ", _GROUPED.sub("", text)))
    text = _BETWEEN.sub(lambda sign: _KEPT[sign[0]], text)
    bare = "".join(sign for sign in text if not _is_punctuation(sign))
    for sign in "-./:":
        bare = bare.replace(_KEPT[sign], sign)
    return bare


def _kept(number: re.Match[str]) -> str:
    """A number with its minus and decimal point, without the commas that group it."""
    plain = number[0].replace(",", "")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.replace("-", _KEPT["-"]).replace(".", _KEPT["."])


def _is_punctuation(sign: str) -> bool:
    """Signs of any script that are not letters, digits or marks of letters; not our own."""
    ours = sign in _KEPT.values() or sign.isspace()
    return unicodedata.category(sign)[0] in "PSZC" and not ours
