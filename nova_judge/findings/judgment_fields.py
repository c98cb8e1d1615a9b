"""The fields of one judgment as people write them: verdicts, labels, margins, lengths.

What cannot be read costs its field and not the row: a row must not count or not count because of
what it says.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nova_judge.inputs.column_names import plain_name
from nova_judge.inputs.columns import whole_number
from nova_judge.inputs.label_words import (
    LONGEST,
    is_no_verdict,
    names_candidate,
    names_side,
    read_label,
)
from nova_judge.records import JudgedAs, Unscored, Verdict
from nova_judge.statistics.evidence import NOT_ASKED, EvidenceRow, Markup, key_of, markup_of
from nova_judge.verdict_labels import parse_verdict, turned

JUDGED_BY = ("forward", "backward", "preference", "margin", "score_A", "score_B")
COLUMNS = (
    *("id", "forward", "backward", "preference", "margin", "score_A", "score_B"),
    *("label", "probability", "category", "prompt", "cluster", "length_A", "length_B"),
)
_BY_PLAIN_NAME = {plain_name(name): name for name in COLUMNS}

_SCORES = {"score_A", "score_B"}
_MINUS = {ord(sign): "-" for sign in "\u2212\ufe63\uff0d"}  # as spreadsheets and texts set it
_NO_VERDICT = Unscored("no verdict")


class UnusableFieldsError(Exception):
    """Error with the reason why the fields of one line cannot be used."""


class OutsideScaleError(Exception):
    """A preference that does not lie on the scale of its file."""


class PreferenceScale(NamedTuple):
    """The ends of a preference: at `low` A wins, at `high` B."""

    low: float = 0.0
    high: float = 1.0


SHARE = PreferenceScale()


class Lost(NamedTuple):
    """A field of one line that cannot be read, and what stands there."""

    field: str
    shown: str


class LabelledRow(NamedTuple):
    """Fields that a file of labels gives for one row."""

    label: Verdict | None
    probability: float | None
    category: str | None
    length_A: int | None
    length_B: int | None
    markup_A: Markup | None
    markup_B: Markup | None


def judged_by(fields: Mapping[str, Any]) -> set[str]:
    """The kinds of judgment that a line brings.

    Raises UnusableFieldsError when it has none, not even an empty verdict.
    """
    there = set(JUDGED_BY) & fields.keys()
    if len(there & _SCORES) == 1:
        there -= _SCORES  # the score of one answer compares nothing
    if not there:
        raise UnusableFieldsError(
            "neither forward, backward, preference, margin nor both of score_A and score_B"
        )
    return {name for name in there if not is_empty(fields[name])}


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """The columns that differ from one of ours in case, blanks or signs, by ours, if that is not
    there.

    >>> misspelt(["ID", "Forward", "label"])
    {'id': 'ID', 'forward': 'Forward'}
    """
    there = dict.fromkeys(names)
    near = {_BY_PLAIN_NAME.get(plain_name(name), name): name for name in there}
    return {ours: name for ours, name in near.items() if ours not in there}


def other_scale(outside: OutsideScaleError, scale: PreferenceScale) -> str:
    """Problem of a preference beside the scale of its file, and how to name another."""
    return (
        f"`preference` is {outside.args[0]:g} on a line, which is not on a scale of {scale.low:g} "
        f"to {scale.high:g}. The scale belongs to the whole file: name what A's win and B's win "
        "are, as in --preference 1:2 (AlpacaEval), -1:1, 0:100 (percent), 1:5 or 1:7 (Likert, the "
        "highest for B), or 7:1 (the highest for A)"
    )


def map_advice(verdicts: Sequence[str]) -> str:
    """How to read verdicts under other names."""
    if not verdicts:
        return ""
    first, *others = verdicts
    also = f", or, with the verdicts of the other order in `{others[0]}`," if others else ""
    both = f" with --map forward={first},backward={others[0]}" if others else ""
    return f" Read it with --map forward={first}{also}{both}."


class Fields:
    """The fields of one line; `lost` collects those that cannot be read."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self.lost: list[Lost] = []
        self.turned_word = ""  # of the backward verdict, where it may be meant of a candidate

    def evidence(self, scale: PreferenceScale) -> EvidenceRow:
        """The evidence of the line, a preference on the scale of its file."""
        return EvidenceRow(
            forward=self._verdict("forward"),
            backward=self._verdict("backward"),
            margin=self._margin(),
            preference=self._preference(scale),
            cluster=self._cluster(),
            **self.labelled()._asdict(),
        )

    def labelled(self) -> LabelledRow:
        """Fields that the line gives for its row beside any judgment."""
        return LabelledRow(
            label=self._label(),
            probability=self._probability(),
            category=self.text("category") or self.text("source"),
            length_A=self._length("A"),
            length_B=self._length("B"),
            markup_A=self._markup("A"),
            markup_B=self._markup("B"),
        )

    def text(self, name: str) -> str | None:
        """A text or a number as text; None where the field is empty."""
        value = self._fields.get(name)
        if is_empty(value):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self._lose(name, value)
            return None
        return whole_number(str(value)) if name in ("id", "cluster") else str(value)

    def _lose(self, name: str, value: object) -> None:
        self.lost.append(Lost(name, _shown(value)))

    def _cluster(self) -> int:
        """Rows of one `cluster`, else of one prompt, else of one id belong together."""
        for name in ("cluster", "prompt", "id"):
            text = self.text(name)
            if text is not None:
                return key_of(name, text)
        return 0

    def _verdict(self, name: str) -> JudgedAs:
        if name not in self._fields:
            return NOT_ASKED
        value = self._fields[name]
        if is_empty(value) or (isinstance(value, str) and is_no_verdict(value)):
            return _NO_VERDICT
        if not isinstance(value, str):
            self._lose(name, value)
            return _NO_VERDICT
        verdict = read_label(value) or parse_verdict(value)
        if isinstance(verdict, Unscored):
            if len(value) <= LONGEST:
                self._lose(name, value)
            return verdict
        if name != "backward" or names_candidate(value):
            return verdict
        self.turned_word = value.strip() if names_side(value) else ""
        return turned(verdict)

    def _label(self) -> Verdict | None:
        value = self._fields.get("label")
        if is_empty(value):
            return None
        label = read_label(value) if isinstance(value, str) else None
        if label is None:
            self._lose("label", value)
        return label

    def _probability(self) -> float | None:
        chance = self._number("probability")
        if chance is None or 0.0 < chance <= 1.0:
            return chance
        self._lose("probability", chance)
        return None

    def _margin(self) -> float | None:
        margin = self._number("margin")
        score_a, score_b = self._number("score_A"), self._number("score_B")
        if margin is None and score_a is not None and score_b is not None:
            return score_a - score_b
        return margin

    def _preference(self, scale: PreferenceScale) -> float | None:
        preference = self._number("preference")
        if preference is None:
            return None
        share = (preference - scale.low) / (scale.high - scale.low)
        if not 0.0 <= share <= 1.0:
            raise OutsideScaleError(preference)
        return share

    def _length(self, side: str) -> int | None:
        length = self._number(f"length_{side}")
        if length is None:
            response = self._fields.get(f"response_{side}")
            return len(response) if isinstance(response, str) else None
        if length < 0 or length != int(length):
            self._lose(f"length_{side}", length)
            return None
        return int(length)

    def _markup(self, side: str) -> Markup | None:
        response = self._fields.get(f"response_{side}")
        return markup_of(response) if isinstance(response, str) else None

    def _number(self, name: str) -> float | None:
        value = self._fields.get(name)
        if is_empty(value):
            return None
        try:
            plain = value.translate(_MINUS) if isinstance(value, str) else value
            number = math.nan if isinstance(value, bool) else float(plain)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
        self._lose(name, value)
        return None


def is_empty(value: object) -> bool:
    """Nothing, or blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
