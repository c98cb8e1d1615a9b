"""The YAML that the rubric judge writes: its criteria, from raw output.

ryaml reads YAML 1.2: `no` is a text, `1:30` is a text, a key that stands twice and an alias bomb
are errors. The verdict is not read from the YAML but from the label (`verdicts.py`), because an
unquoted `[[A>B]]` is a list to YAML and `[[A=B (bothbad)]` breaks the document; lines that hold
nothing but a label are therefore taken out first. What is not YAML is read line by line
(`rubric_lines.py`). A reasoning model's thoughts are not part of the document.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nova_judge.pairs.rubric_lines import OVERALL, field_name, rubric_lines
from nova_judge.pairs.rubric_reading import rubric_from
from nova_judge.records import Rubric, Unscored
from nova_judge.thoughts import without_thoughts
from nova_judge.verdict_labels import CUT_OFF_THOUGHT
from nova_judge.yaml_text import LONGEST, read_yaml

NO_YAML = Unscored("the judge's output holds no readable YAML rubric")
TWO_RUBRICS = Unscored("the judge's output holds two different rubrics")
TOO_LONG = Unscored("the judge's output is too long to be a rubric")

_FENCE_LINE = r"^[ \t]*+```[ \t]*+(?:ya?ml|json)?[ \t]*+"
_FENCE = re.compile(rf"{_FENCE_LINE}\n(.*?)^[ \t]*+```", re.MULTILINE | re.DOTALL)
_OPEN_FENCE = re.compile(rf"{_FENCE_LINE}$", re.MULTILINE)
_START = re.compile(
    r"^(?:\*\*)?(?:criteria|rubric|criteria_breakdown)(?:\*\*)?[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)
_LABEL_LINE = re.compile(r"^[ \t]*+(?:\w[\w \t]{0,39}:)?[ \t]*+[\"']?\[\[[^\n]*$", re.MULTILINE)
_CRITERIA_KEYS = ("criteria", "rubric", "criteria_breakdown")
_NAME_KEYS = ("short_name", "name")


def parse_rubric(text: str) -> Rubric | Unscored:
    """The rubric that a YAML text holds, bare, in a fence, or after a sentence of prose."""
    if len(text) > LONGEST:
        return TOO_LONG
    answer = without_thoughts(text)
    if not answer.finished:
        return CUT_OFF_THOUGHT
    rubrics = [_rubric_in(document) for document in _documents(answer.text)]
    readable = [rubric for rubric in rubrics if isinstance(rubric, Rubric)]
    if not readable:
        return next((rubric for rubric in rubrics if rubric != NO_YAML), NO_YAML)
    return readable[0] if all(rubric == readable[0] for rubric in readable) else TWO_RUBRICS


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
    try:
        document = read_yaml(text)
    except ValueError as error:
        return _rubric_in_lines(text, error)
    if not isinstance(document, dict):
        return NO_YAML
    # Judges capitalise the key; our own spelling comes first, and in the order of the keys.
    spelled = {key.lower(): value for key, value in document.items() if isinstance(key, str)}
    spelled |= document
    named = next((spelled[key] for key in _CRITERIA_KEYS if key in spelled), None)
    breakdown = _by_name(named) if named is not None else _looks_like_criteria(document)
    if isinstance(breakdown, Unscored):
        return breakdown
    own = {name: _own_names(fields) for name, fields in breakdown.items()}
    return rubric_from(own, document.get(OVERALL, ""))


def _rubric_in_lines(text: str, error: ValueError) -> Rubric | Unscored:
    start = _START.search(text)
    lines = rubric_lines(text[start.start() :]) if start else None
    if isinstance(lines, Unscored):
        return lines
    if lines is None or not lines.criteria:
        why = " ".join(str(error).split())[:120]
        return Unscored(f"the judge's rubric is not readable YAML ({why})") if start else NO_YAML
    return rubric_from(lines.criteria, lines.overall)


def _own_names(fields: object) -> object:
    """A criterion's fields in our spelling, where that leaves each field alone."""
    if not isinstance(fields, dict) or not all(isinstance(key, str) for key in fields):
        return fields
    own = {field_name(key): value for key, value in fields.items()}
    return own if len(own) == len(fields) else fields


def _by_name(criteria: object) -> Mapping[Any, Any] | Unscored:
    """Criteria as a mapping by name; a list of them has the name inside."""
    if isinstance(criteria, Mapping):
        inner = criteria.get("criteria")
        return inner if len(criteria) == 1 and isinstance(inner, Mapping) else criteria
    if not isinstance(criteria, list):
        return NO_YAML
    named: dict[Any, Any] = {}
    for one in criteria:
        fields = one if isinstance(one, dict) else {}
        name = next((fields[key] for key in _NAME_KEYS if key in fields), None)
        if not isinstance(name, str):
            return Unscored("a criterion of the rubric has no name")
        if name in named:
            return Unscored(f"criterion {name[:60]!r} is named twice")
        named[name] = fields
    return named


def _looks_like_criteria(document: dict[Any, Any]) -> Mapping[Any, Any] | Unscored:
    """Criteria that stand at the top of the document, known by a weight and a type."""
    criteria = {
        name: fields
        for name, fields in document.items()
        if isinstance(fields, dict) and "weight" in fields and "type" in fields
    }
    return criteria or NO_YAML
