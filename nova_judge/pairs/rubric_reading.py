"""From what a judge wrote of its criteria to a `Rubric`: one rule for the details and for YAML.

Nothing is repaired by guessing. A rubric with one unreadable criterion is `Unscored`, because its
weighted scores would silently leave that criterion out.
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
_SCALE = {"scale": "scale", "likert": "scale", "binary": "binary", "boolean": "binary"}
_BINARY = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
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
    said = reported or {}
    return Rubric(
        criteria=tuple(criteria),
        overall_justification=_text(overall),
        reported_score_A=number(said.get("weighted_score_A")),
        reported_score_B=number(said.get("weighted_score_B")),
        reported_margin=number(said.get("score_margin")),
    )


def criterion_from(name: object, fields: object) -> Criterion | Unscored:
    """One criterion: weight at least 0, a scale score from 1 to 5, a binary one true or false."""
    if not isinstance(name, str) or not 0 < len(name.strip()) <= _NAME_LIMIT:
        return Unscored("a criterion's name is not a text of at most 200 characters")
    if not isinstance(fields, Mapping):
        return Unscored("a criterion is not a mapping")
    kind = _SCALE.get(_text(fields.get("type")).strip().lower())
    if kind is None:
        return Unscored("a criterion's type is neither scale nor binary")
    weight = number(fields.get("weight"))
    if weight is None or not 0 <= weight <= _LARGEST_WEIGHT:
        return Unscored("a criterion's weight is not a number from 0")
    score_A, score_B = _score(fields.get("score_A"), kind), _score(fields.get("score_B"), kind)
    if score_A is None or score_B is None:
        return Unscored(f"a {kind} criterion's score is outside what its type allows")
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


def number(value: object) -> float | None:
    """A finite number, also one written as a text such as "0.5"; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, int) and abs(value) < 1 << 53:
        value = float(value)
    return value if isinstance(value, float) and math.isfinite(value) else None


def _score(value: object, kind: str) -> float | None:
    if kind == "binary":
        return _truth(value)
    score = number(value)
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
