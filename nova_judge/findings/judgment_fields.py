"""The fields of one judgment as people write them: verdicts, labels, margins, lengths."""

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from nova_judge.records import JudgedAs, Unscored, Verdict
from nova_judge.statistics.evidence import NOT_ASKED, EvidenceRow, Markup, key_of, markup_of
from nova_judge.verdict_labels import parse_verdict, turned

JUDGED_BY = ("forward", "backward", "preference", "margin", "score_A", "score_B")

_WORDS = {
    "a": Verdict.A,
    "b": Verdict.B,
    "tie": Verdict.TIE,
    "both_bad": Verdict.BOTH_BAD,
}
_LABEL_LENGTH = 40
_NO_VERDICT = Unscored("no verdict")


class UnusableFieldsError(Exception):
    """Why the fields of one line cannot be used."""


class Known(NamedTuple):
    """What a file of labels says of one row."""

    label: Verdict | None
    category: str | None
    length_A: int | None
    length_B: int | None
    markup_A: Markup | None
    markup_B: Markup | None


def judged_by(fields: Mapping[str, Any]) -> set[str]:
    """The kinds of judgment that a line brings.

    Raises UnusableFieldsError when it has none, not even an empty verdict.
    """
    given = {name for name in JUDGED_BY if not is_empty(fields.get(name))}
    if not given and not {"forward", "backward"} & fields.keys():
        raise UnusableFieldsError("neither forward, backward, preference nor margin")
    return given


def evidence_of(fields: Mapping[str, Any]) -> EvidenceRow:
    """The evidence of one line. Raises UnusableFieldsError, which says what is expected."""
    return EvidenceRow(
        forward=_verdict(fields, "forward"),
        backward=_verdict(fields, "backward"),
        margin=_margin(fields),
        preference=_preference(fields),
        cluster=_cluster(fields),
        hashed=_hashed(fields),
        **known_of(fields)._asdict(),
    )


def known_of(fields: Mapping[str, Any]) -> Known:
    """What a line says of its row beside any judgment. Raises UnusableFieldsError."""
    return Known(
        label=_label(fields),
        category=text_of(fields, "category") or text_of(fields, "source"),
        length_A=_length(fields, "A"),
        length_B=_length(fields, "B"),
        markup_A=_markup(fields, "A"),
        markup_B=_markup(fields, "B"),
    )


def is_empty(value: object) -> bool:
    """Nothing, or blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def text_of(fields: Mapping[str, Any], name: str) -> str | None:
    """A text or a number as text; None where the field is empty."""
    value = fields.get(name)
    if is_empty(value):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnusableFieldsError(f"`{name}` is not text")
    return str(value)


def _hashed(fields: Mapping[str, Any]) -> int:
    named = [text_of(fields, name) or "" for name in ("id", "prompt")]
    return key_of(*named) if any(named) else 0


def _cluster(fields: Mapping[str, Any]) -> int:
    """Rows of one `cluster`, else of one prompt, else of one id belong together."""
    for name in ("cluster", "prompt", "id"):
        text = text_of(fields, name)
        if text is not None:
            return key_of(name, text)
    return 0


def _verdict(fields: Mapping[str, Any], name: str) -> JudgedAs:
    if name not in fields:
        return NOT_ASKED
    value = fields[name]
    if is_empty(value):
        return _NO_VERDICT
    if not isinstance(value, str):
        raise UnusableFieldsError(f"`{name}` is not text: expected A>B, B>A, A=B or null")
    word = _WORDS.get(value.strip().lower())
    if word is not None:
        return word
    parsed = _read(value) if len(value) <= _LABEL_LENGTH else parse_verdict(value)
    return turned(parsed) if name == "backward" else parsed


@functools.lru_cache(maxsize=256)
def _read(label: str) -> JudgedAs:
    """A file of a million rows repeats the same few labels."""
    return parse_verdict(label)


def _label(fields: Mapping[str, Any]) -> Verdict | None:
    value = fields.get("label")
    if is_empty(value):
        return None
    if isinstance(value, str):
        found = _WORDS.get(value.strip().lower()) or parse_verdict(value)
        if isinstance(found, Verdict):
            return found
    raise UnusableFieldsError(f"`label` is {_shown(value)}: expected A>B, B>A or A=B")


def _margin(fields: Mapping[str, Any]) -> float | None:
    margin = _number(fields, "margin")
    score_a, score_b = _number(fields, "score_A"), _number(fields, "score_B")
    if margin is None and score_a is not None and score_b is not None:
        return score_a - score_b
    return margin


def _preference(fields: Mapping[str, Any]) -> float | None:
    preference = _number(fields, "preference")
    if preference is not None and not 0.0 <= preference <= 1.0:
        raise UnusableFieldsError(
            f"`preference` is {preference:g}: expected the share that B wins, 0 to 1"
        )
    return preference


def _length(fields: Mapping[str, Any], side: str) -> int | None:
    length = _number(fields, f"length_{side}")
    if length is None:
        response = fields.get(f"response_{side}")
        return len(response) if isinstance(response, str) else None
    if length < 0 or length != int(length):
        raise UnusableFieldsError(f"`length_{side}` is {length:g}: expected a number of characters")
    return int(length)


def _markup(fields: Mapping[str, Any], side: str) -> Markup | None:
    response = fields.get(f"response_{side}")
    return markup_of(response) if isinstance(response, str) else None


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if is_empty(value):
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise UnusableFieldsError(f"`{name}` is {_shown(value)}: expected a number")
    return number


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
