"""Stand-in for `prime_math`: is the answer mathematically equal to the reference?

The final answer is what the last `\\boxed{}` holds, else what follows "the answer is" or the last
"is" or "=". It is equal as text, as a number (to 1e-4 of its size; whole numbers exactly), or by
`math-verify` (Hugging Face), which reads LaTeX. The original is the scorer of the same name in
verl; docs/scoring.md says how often both agree.
"""

import contextlib
import logging
import re

from math_verify import parse, verify  # type: ignore[import-untyped]

logging.getLogger("math_verify").setLevel(logging.ERROR)  # the sandbox has its own time limit

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_COLON = "[:\uff1a]"
_ANSWER = re.compile(
    rf".*(?:answers? (?:is|are)|answer|答案[是为]?|final)\s*{_COLON}?\s*(?=\S)", re.I | re.S
)
_SAYS = re.compile(rf".*(?:\b(?:is|are|be|get)\b|=|{_COLON})\s+(?=\S)", re.I | re.S)
_WRAPPED = re.compile(r"\\(?:text|mathrm|mathbf|textbf|textit|mbox)\s*\{([^{}]*)\}")
_SPACES = re.compile(r"\\[,;!: ]|\\q?quad|\\left|\\right|~|\s+")
_UNIT = re.compile(
    r"(?<=\d)(?:\^?\{?\\circ\}?|°|(?:degrees?|cm|mm|km|kg|meters?|metres?|miles?|inch(?:es)?|feet|foot|"
    r"seconds?|minutes?|hours?|days?|weeks?|months?|years?|units?|dollars?|cents?|points?)(?:\^?[23])?)$"
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:e[+-]?\d+)?", re.I)
_FRACTION = re.compile(r"([+-]?\d+)/(\d*[1-9]\d*)")
_TOLERANCE = 1e-4
_SIGNS = {ord(sign): "-" for sign in "\u2212\u2010\u2011\u2013\ufe63\uff0d"}


def score(answer: str, reference: str) -> float:
    """1 when the answer's final expression equals the reference, else 0."""
    expected = final(reference.strip()) or reference
    if not expected.strip():
        raise ValueError("the reference is not a mathematical expression")
    return float(equal(final(answer), expected))


def final(text: str) -> str:
    """The final answer of a text: the last box, else what follows its last verb."""
    text = text.translate(_SIGNS).strip()
    if boxes := list(_BOX.finditer(text)):
        return _braced(text[boxes[-1].end() :])
    for lead in (_ANSWER, _SAYS):
        if match := lead.match(text):
            return _bare(text[match.end() :].split(". ")[0])
    return _bare(text)


def equal(given: str, expected: str) -> bool:
    """True if two expressions are the same text, the same number, or equal by their meaning."""
    given, expected = _bare(given), _bare(expected)
    if not given:
        return False
    one, other = _plain(given), _plain(expected)
    if one == other or (one.strip("()") == other.strip("()") and len(other.strip("()")) == 1):
        return True
    numbers = _number(one), _number(other)
    if numbers[0] is not None and numbers[1] is not None:
        percent = "%" in given or "%" in expected
        return _same_number(one, other, numbers[0], numbers[1], percent=percent)
    return _same_meaning(given, expected)


def _braced(text: str) -> str:
    """Text up to the brace that closes; nothing where none does."""
    depth = 1
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return text[:place].strip()
    return ""


def _bare(text: str) -> str:
    """Without the signs around an expression: dollars, emphasis, a full stop."""
    text = text.strip().removeprefix("\\(").removeprefix("\\[")
    text = text.rstrip(".。 \n").removesuffix("\\)").removesuffix("\\]")
    text = text.strip("*` \n").rstrip(".。")
    if text.startswith("$") and text.endswith("$") and len(text) > 1:
        text = text.strip("$")
    return text.strip()


def _plain(text: str) -> str:
    """One spelling of spaces, fractions, units and case."""
    text = _WRAPPED.sub(r"\1", text).replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")
    text = _SPACES.sub("", text).replace("\\%", "%").replace("\\$", "").replace("$", "").lower()
    text = re.sub(r"\\frac(\d)(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"^([+-]?)\\frac\{([+-]?\d+)\}\{(\d+)\}$", r"\1\2/\3", text)
    text = _UNIT.sub("", text.rstrip("%"))
    return text.split("=")[-1] if re.match(r"^[a-z]=", text) else text


def _number(text: str) -> float | None:
    if fraction := _FRACTION.fullmatch(text):
        return int(fraction[1]) / int(fraction[2])
    if not _NUMBER.fullmatch(text) or not any(sign.isdigit() for sign in text):
        return None
    with contextlib.suppress(ValueError, OverflowError):
        return float(text.replace(",", ""))
    return None


def _same_number(one: str, other: str, first: float, second: float, *, percent: bool) -> bool:
    digits = one.lstrip("+-").replace(",", ""), other.lstrip("+-").replace(",", "")
    if all(map(str.isdigit, digits)):
        return first == second and digits[0].lstrip("0") == digits[1].lstrip("0")
    sizes = (second / 100, second, second * 100) if percent else (second,)
    return any(abs(first - size) <= _TOLERANCE * max(abs(first), abs(size)) for size in sizes)


def _same_meaning(given: str, expected: str) -> bool:
    """math-verify's equality, but for numbers that it rounds to the same, or that are rounded."""
    wanted = parse(f"${expected}$", parsing_timeout=None) or parse(expected, parsing_timeout=None)
    parsed = parse(f"${given}$", parsing_timeout=None) or parse(given, parsing_timeout=None)
    if not wanted or not parsed:
        return False
    same = bool(verify(wanted, parsed, timeout_seconds=None))
    one, other = _value(wanted[0]), _value(parsed[0])
    if one is None or other is None or not (same or "." in given + expected):
        return same
    return abs(one - other) <= _TOLERANCE * max(abs(one), abs(other))


def _value(expression: object) -> float | None:
    try:
        return float(expression)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, AttributeError):
        return None
