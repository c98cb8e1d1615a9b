"""From what a judge wrote of its criteria to a `Rubric`: one rule for the details and for YAML.

Nothing is repaired by guessing. A rubric with one unreadable criterion is `Unscored`, because its
weighted scores would silently leave that criterion out; the reason names the criterion, the field
and what stands there. Read are `4`, `"4"`, `4/5`, `4 out of 5` and `4 (good)` as a score, `0.5`,
`50%` and `1/2` as a weight, `scale (1-5)` as a type; a scale that is not 1 to 5 is refused.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from nova_judge.pairs.weighted_scores import weight_units
from nova_judge.records import Criterion, Rubric, Unscored
from nova_judge.text import storable

NO_CRITERIA = Unscored("the rubric has no criteria")
NO_WEIGHT = Unscored("the rubric's weights sum to zero")

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,25})?(?:[eE][+-]?[0-9]{1,3})?")
_NOTE = re.compile(r"[ \t]*\([^()]{0,200}\)")
_OF_FIVE = re.compile(r"([0-9](?:\.[0-9]{1,9})?)[ ]?(?:/|of|out of)[ ]?5")
_SHARE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)[ ]?(?:%|/[ ]?([1-9][0-9]{0,8}))")
_TYPE_WORD = re.compile(r"[^\W\d_]+")
_SCALE = {"scale": "scale", "likert": "scale", "binary": "binary", "boolean": "binary"}
_TYPE_FILLERS = {"a", "of", "from", "to", "point", "rating", "score"}
_RANGES = {"scale": ([], ["5"], ["1", "5"]), "binary": ([], ["0", "1"])}
_BINARY = {
    **dict.fromkeys(("true", "yes", "pass", "passed", "✓", "✔", "✅"), 1.0),
    **dict.fromkeys(("false", "no", "fail", "failed", "✗", "✘", "❌"), 0.0),
}
_LARGEST_WEIGHT = 100.0  # as per cent; keeps every sum of products below 2^53
CRITERIA_LIMIT = 200
_NAME_LIMIT = 200


def rubric_from(
    breakdown: object, overall: object = "", reported: Mapping[str, Any] | None = None
) -> Rubric | Unscored:
    """The rubric that a mapping of criteria spells, with the scores the container reported."""
    if not isinstance(breakdown, Mapping) or not breakdown:
        return NO_CRITERIA
    if len(breakdown) > CRITERIA_LIMIT:
        return Unscored("the rubric has too many criteria")
    criteria = []
    for name, fields in breakdown.items():
        criterion = criterion_from(name, fields)
        if isinstance(criterion, Unscored):
            return criterion
        criteria.append(criterion)
    if not any(weight_units(criterion.weight) for criterion in criteria):
        return NO_WEIGHT
    scores = reported or {}
    return Rubric(
        criteria=tuple(criteria),
        overall_justification=_text(overall),
        reported_score_A=number(scores.get("weighted_score_A")),
        reported_score_B=number(scores.get("weighted_score_B")),
        reported_margin=number(scores.get("score_margin")),
    )


def criterion_from(name: object, fields: object) -> Criterion | Unscored:
    """One criterion: weight at least 0, a scale score from 1 to 5, a binary one true or false."""
    if not isinstance(name, str) or not 0 < len(name.strip()) <= _NAME_LIMIT:
        return Unscored("a criterion's name is not a text of at most 200 characters")
    where = f"criterion {_shown(name.strip())}"
    if not isinstance(fields, Mapping):
        return Unscored(f"{where} is not a mapping")
    kind = _kind(fields.get("type"))
    if kind is None:
        wanted = "scale (1 to 5) nor binary"
        return Unscored(f"{where}: its type is {_shown(fields.get('type'))}, neither {wanted}")
    weight = _weight(fields.get("weight"))
    if weight is None or not 0 <= weight <= _LARGEST_WEIGHT:
        return Unscored(f"{where}: its weight is {_shown(fields.get('weight'))}, no number from 0")
    score_A, score_B = _score(fields.get("score_A"), kind), _score(fields.get("score_B"), kind)
    if score_A is None or score_B is None:
        field = "score_A" if score_A is None else "score_B"
        allowed = "true or false" if kind == "binary" else "a score from 1 to 5"
        shown = _shown(fields[field]) if field in fields else "missing"
        return Unscored(f"{where}: {field} is {shown}, not {allowed}")
    return Criterion(
        name=storable(name.strip()),
        weight=weight,
        type="scale" if kind == "scale" else "binary",
        score_A=score_A,
        score_B=score_B,
        description=_text(fields.get("description")),
        justification_A=_text(fields.get("justification_A")),
        justification_B=_text(fields.get("justification_B")),
    )


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    try:
        return storable(repr(value)[:60])
    except ValueError:  # a whole number of more digits than Python prints
        return "a number of too many digits"


def number(value: object) -> float | None:
    """A finite number, also one written as a text such as "0.5"; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, int) and abs(value) < 1 << 53:
        value = float(value)
    return value if isinstance(value, float) and math.isfinite(value) else None


def _kind(value: object) -> str | None:
    """The type that a text names, with or without its range; None for another range."""
    text = _text(value).lower()[:_NAME_LIMIT]
    words = _TYPE_WORD.findall(_NOTE.sub("", text))
    kinds = {_SCALE[word] for word in words if word in _SCALE}
    if len(kinds) != 1 or not set(words) <= _SCALE.keys() | _TYPE_FILLERS:
        return None
    kind = kinds.pop()
    return kind if re.findall("[0-9]+", text) in _RANGES[kind] else None


def _weight(value: object) -> float | None:
    text = _NOTE.sub("", _text(value)).strip()
    if share := _SHARE.fullmatch(text):
        return float(share[1]) / float(share[2] or 100)
    return number(text or value)


def _score(value: object, kind: str) -> float | None:
    text = _NOTE.sub("", _text(value)).strip()
    if kind == "binary":
        return _truth(text or value)
    of_five = _OF_FIVE.fullmatch(text)
    score = number(of_five[1] if of_five else text or value)
    return score if score is not None and 1 <= score <= 5 else None


def _truth(value: object) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if (spelled := _text(value).strip().lower()) in _BINARY:
        return _BINARY[spelled]
    score = number(value)
    return score if score in (0.0, 1.0) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
