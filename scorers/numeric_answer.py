"""Is the last number of the answer the number of the reference?

A scorer is one Python file with one function `score`. It takes any of `prompt`, `answer`,
`reference` and `metadata`, and returns a number, or several by name: the first is the reward. It
raises where it does not apply: that row is unscored with the reason, which is not a zero.
"""

import re

SIGNS = dict.fromkeys(map(ord, "\u2212\ufe63\uff0d"), "-")
NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,])(?<!\d[-\u2010-\u2015])"  # not the end of a word or of a range
    r"[-+]?(?:\d{1,3}(?:[ \u00a0\u202f'\u2019,]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:[.,]\d+)*|\.\d+)"
    r"(?:[eE][-+]?\d+)?"
)
SECOND_OF_A_RANGE = re.compile(r"(?<=\d)[-\u2010-\u2015](?=[\d.])")
FOOTNOTE = re.compile(r"\[\d{1,3}\]")
GROUPS = re.compile(r"\d{1,3}(?:[,.]\d{3})+")


def score(answer: str, reference: str) -> dict[str, float]:
    """1 where the last number agrees with the reference; also how short the answer is."""
    expected, found = numbers(reference), numbers(answer)
    if not expected:
        raise ValueError("not applicable: the reference holds no number")
    right = bool(found) and found[-1] == expected[-1]
    sentences = len(re.findall(r"[.!?\u3002](?:\s|$)", answer))
    return {"right_number": float(right), "one_sentence": float(sentences <= 1)}


def numbers(text: str) -> list[float]:
    """The numbers of a text: `-5`, `.5`, `1,000`, `3,14`, `1e-5`; `5-10` holds 5 and 10."""
    plain = SECOND_OF_A_RANGE.sub(" ; ", FOOTNOTE.sub(" ", text.translate(SIGNS)))
    return [value(number) for number in NUMBER.findall(plain)]


def value(number: str) -> float:
    """One number; of comma and point the last is the decimal one, unless it groups by three."""
    number = re.sub(r"[ \u00a0\u202f'\u2019]", "", number)
    digits, exponent, power = number.partition("e") if "e" in number else number.partition("E")
    bare = digits.lstrip("+-")
    if "," in bare and bare.rfind(",") < bare.rfind("."):
        digits = digits.replace(",", "")
    elif "," in bare and "." in bare:
        digits = digits.replace(".", "")
    elif "," in bare and GROUPS.fullmatch(bare):
        digits = digits.replace(",", "")
    elif bare.count(".") > 1:
        digits = digits.replace(".", "")
    return float(digits.replace(",", ".") + exponent + power)
