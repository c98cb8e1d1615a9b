"""The YAML that the rubric judge writes: its criteria, from raw output.

ryaml reads YAML 1.2: `no` is a text, `1:30` is a text, a key that stands twice and an alias bomb
are errors. The verdict is not read from the YAML but from the label (`verdicts.py`), because an
unquoted `[[A>B]]` is a list to YAML and `[[A=B (bothbad)]` breaks the document; lines that hold
nothing but a label are therefore taken out first. One other thing is mended, and only where the
document cannot be read otherwise: a colon inside an unquoted description or justification.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

import ryaml

from nova_judge.pairs.rubric_reading import rubric_from
from nova_judge.records import Rubric, Unscored

NO_YAML = Unscored("the judge's output holds no readable YAML rubric")
TWO_RUBRICS = Unscored("the judge's output holds two different rubrics")
TOO_LONG = Unscored("the judge's output is too long to be a rubric")

_LIMIT: Final = 4 << 20  # characters
_DEPTH_LIMIT: Final = 500  # open brackets, on which the scanner's time grows as the square
_FENCE_LINE = r"^[ \t]*+```[ \t]*+(?:ya?ml)?[ \t]*+"
_FENCE = re.compile(rf"{_FENCE_LINE}\n(.*?)^[ \t]*+```", re.MULTILINE | re.DOTALL)
_OPEN_FENCE = re.compile(rf"{_FENCE_LINE}$", re.MULTILINE)
_BRACKET = re.compile(r"[\[\]{}]")
_START = re.compile(r"^(?:criteria|rubric|criteria_breakdown)[ \t]*:", re.MULTILINE)
_LABEL_LINE = re.compile(r"^[ \t]*+(?:\w[\w \t]{0,39}:)?[ \t]*+[\"']?\[\[[^\n]*$", re.MULTILINE)
_TEXT_LINE = re.compile(
    r"^([ \t]*+(?:- )?(?:description|justification_[AB]|overall_justification):[ \t]+)"
    r"(?![\"'|>\[{&*!])([^\n]*+)$",
    re.MULTILINE,
)
_CRITERIA_KEYS = ("criteria", "rubric", "criteria_breakdown")
_NAME_KEYS = ("short_name", "name")


def parse_rubric(text: str) -> Rubric | Unscored:
    """The rubric that a YAML text holds, bare, in a fence, or after a sentence of prose."""
    if len(text) > _LIMIT:
        return TOO_LONG
    if _bracket_depth(text) > _DEPTH_LIMIT:
        return NO_YAML
    found = [_rubric_in(document) for document in _documents(text)]
    readable = [rubric for rubric in found if isinstance(rubric, Rubric)]
    if not readable:
        return next((rubric for rubric in found if rubric != NO_YAML), NO_YAML)
    return readable[0] if all(rubric == readable[0] for rubric in readable) else TWO_RUBRICS


def _bracket_depth(text: str) -> int:
    steps = (1 if bracket in "[{" else -1 for bracket in _BRACKET.findall(text))
    return max(accumulate(steps), default=0)


def _documents(text: str) -> Iterator[str]:
    """The fenced blocks; without a closed one, the text from where the rubric starts."""
    bare = _LABEL_LINE.sub("", text)
    fenced = _FENCE.findall(bare)
    if fenced:
        yield from fenced
        return
    bare = _OPEN_FENCE.sub("", bare)
    start = _START.search(bare)
    yield bare[start.start() :] if start else bare


def _rubric_in(text: str) -> Rubric | Unscored:
    document = _loaded(text)
    if not isinstance(document, dict):
        return NO_YAML
    named = next((document[key] for key in _CRITERIA_KEYS if key in document), None)
    breakdown = _by_name(named) if named is not None else _looks_like_criteria(document)
    if breakdown is None:
        return NO_YAML
    return rubric_from(breakdown, document.get("overall_justification", ""))


def _loaded(text: str) -> Any:  # noqa: ANN401 (any document)
    try:
        return ryaml.loads(text)
    except ValueError:
        quoted = _TEXT_LINE.sub(lambda line: line[1] + json.dumps(line[2].strip()), text)
    try:
        return ryaml.loads(quoted)
    except ValueError:
        return None


def _by_name(criteria: object) -> Mapping[Any, Any] | None:
    """Criteria as a mapping by name; a list of them has the name inside."""
    if isinstance(criteria, Mapping):
        inner = criteria.get("criteria")
        return inner if len(criteria) == 1 and isinstance(inner, Mapping) else criteria
    if not isinstance(criteria, list):
        return None
    named: dict[Any, Any] = {}
    for one in criteria:
        fields = one if isinstance(one, dict) else {}
        name = next((fields[key] for key in _NAME_KEYS if key in fields), None)
        if not isinstance(name, str) or name in named:
            return None
        named[name] = fields
    return named


def _looks_like_criteria(document: dict[Any, Any]) -> Mapping[Any, Any] | None:
    """Criteria that stand at the top of the document, told by having a weight and a type."""
    found = {
        name: fields
        for name, fields in document.items()
        if isinstance(fields, dict) and "weight" in fields and "type" in fields
    }
    return found or None
