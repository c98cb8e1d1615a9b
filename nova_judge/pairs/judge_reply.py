"""The reply of a judge that is asked by calls: the form that is asked for, and how it is read.

A reply is one JSON object, which a model that knows JSON schemas cannot miss. From others the
labels are parsed, and a rubric's YAML, as from Nova's judges. What was read is written again as
Nova's container would write it, so that a label in the judge's reasons is not one more verdict.
"""

import json
import re
from typing import Any, NamedTuple, TypeVar

import msgspec
import ryaml

from nova_judge.answers.answers import Answer
from nova_judge.pairs.rubric_reading import rubric_from
from nova_judge.pairs.weighted_scores import rubric_sums
from nova_judge.pairs.yaml_output import parse_rubric
from nova_judge.recipe.asked_judge import PER_QUESTION, FixedRubric
from nova_judge.records import Criterion, JudgedAs, Rubric, Unscored, Verdict
from nova_judge.thoughts import without_thoughts
from nova_judge.verdict_labels import CUT_OFF_THOUGHT, LABELS, NO_LABEL, parse_verdict

NO_SCORES = Unscored("the judge's reply holds no readable scores")
_CUT_OFF = frozenset({"length", "max_tokens", "model_context_window_exceeded"})
_VERDICTS = tuple(label.strip("[]") for label in LABELS.values())
_BRACKETS = re.compile("[\\[\u3010\u3014\u300c\u300e\uff3b]")  # all that may be read as one
_KEY_SIGNS = re.compile("[:<\uff1a\uff1c]")  # without one of these no key has a value
_TYPES = {"scale": "scale", "pass_fail": "binary"}

ReplyForm = TypeVar("ReplyForm")


# Reasons of any form: what they are costs no verdict, and is not read.
class _VerdictReply(msgspec.Struct):
    verdict: str
    reasons: Any = ""


class _NamedCriterion(msgspec.Struct):
    name: str
    type: str
    weight: float
    score_A: float
    score_B: float
    description: Any = ""
    justification_A: Any = ""
    justification_B: Any = ""


class _RubricReply(msgspec.Struct):
    criteria: list[_NamedCriterion]
    verdict: str
    reasons: Any = ""


class _Scores(msgspec.Struct):
    score_A: float | bool
    score_B: float | bool
    justification: Any = ""


class _ScoresReply(msgspec.Struct):
    criteria: dict[str, _Scores]
    reasons: Any = ""


class ReadReply(NamedTuple):
    """A reply as the container would write it; why there is no verdict in it, where so."""

    text: str
    error: str | None = None


def read_answer(answer: Answer, rubric: FixedRubric | str | None) -> ReadReply:
    """A model's reply, which may have been cut off, as `read_reply` reads it."""
    if answer.finish_reason in _CUT_OFF:
        return ReadReply(answer.text, f"the reply was cut off ({answer.finish_reason})")
    return read_reply(answer.text, rubric)


def read_reply(text: str, rubric: FixedRubric | str | None) -> ReadReply:
    """The reply to one pair in the order shown; raises nothing, whatever it holds."""
    answer = without_thoughts(text)
    if not answer.finished:
        return ReadReply(text, CUT_OFF_THOUGHT.reason)
    if isinstance(rubric, dict):
        return _scored(text, object_in(answer.text, _ScoresReply), rubric)
    if rubric == PER_QUESTION:
        return _with_criteria(text, object_in(answer.text, _RubricReply))
    verdict_reply = object_in(answer.text, _VerdictReply)
    if verdict_reply is None:
        return _with_label(text, parse_verdict(text))
    verdict = _verdict(verdict_reply.verdict)
    reasons = verdict_reply.reasons or ""
    body = reasons if isinstance(reasons, str) else json.dumps(reasons, ensure_ascii=False)
    return _written(body, verdict, text)


def reply_form(rubric: FixedRubric | str | None) -> str:
    """The words that ask for the reply's form, which follow every prompt."""
    verdict = (
        '"A>B" if answer A is better, "B>A" if answer B is better, "A=B" if neither is, '
        '"A=B (bothbad)" if neither is of any use'
    )
    if isinstance(rubric, dict):
        shown = ", ".join(
            f'"{name}": {{"justification": why, "score_A": …, "score_B": …}}' for name in rubric
        )
        return (
            "Answer with one JSON object and nothing else, with all criteria by their names:\n"
            f'{{"criteria": {{{shown}}}, "reasons": your view of both answers in a sentence}}'
        )
    if rubric == PER_QUESTION:
        return (
            "Answer with one JSON object and nothing else:\n"
            '{"criteria": [{"name": a short name, "description": what it asks, "type": "scale" or '
            '"binary", "weight": its share of 1, "justification_A": why, "justification_B": why, '
            '"score_A": …, "score_B": …}, …], "reasons": why the better answer is better as a '
            f'whole, "verdict": {verdict}}}'
        )
    return (
        "Answer with one JSON object and nothing else:\n"
        f'{{"reasons": why, in a few sentences, "verdict": {verdict}}}'
    )


def reply_schema(rubric: FixedRubric | str | None) -> dict[str, Any]:
    """The JSON schema of the reply, in the part of JSON Schema that every provider takes."""
    reasons = {"reasons": {"type": "string"}}
    verdict = {"verdict": {"type": "string", "enum": list(_VERDICTS)}}
    if isinstance(rubric, dict):
        criteria = _record({name: _fixed_schema(one.type) for name, one in rubric.items()})
        return _record({"criteria": criteria, **reasons})
    if rubric != PER_QUESTION:
        return _record({**reasons, **verdict})
    texts = {key: {"type": "string"} for key in ("justification_A", "justification_B")}
    criterion = _record(
        {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "type": {"type": "string", "enum": ["scale", "binary"]},
            "weight": {"type": "number"},
            **texts,
            "score_A": {"type": "integer"},
            "score_B": {"type": "integer"},
        }
    )
    return _record({"criteria": {"type": "array", "items": criterion}, **reasons, **verdict})


def criteria_shown(rubric: FixedRubric) -> str:
    """A fixed rubric as a judge's prompt shows it, one criterion per line."""
    scales = {
        "scale": "a score from 1 (poor) to 5 (excellent)",
        "pass_fail": "true if it passes, false if it fails",
    }
    return "\n".join(f"{name}: {one.asks} ({scales[one.type]})" for name, one in rubric.items())


def _record(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _fixed_schema(kind: str) -> dict[str, Any]:
    score = {"type": "boolean"} if kind == "pass_fail" else {"type": "integer"}
    return _record({"justification": {"type": "string"}, "score_A": score, "score_B": score})


def object_in(text: str, kind: type[ReplyForm]) -> ReplyForm | None:
    """The JSON object in a text, whatever stands around it; None where it is none of this kind.

    A key that stands twice says two things, of which JSON's readers keep the last.
    """
    start, end = text.find("{"), text.rfind("}") + 1
    written = text[start:end] if 0 <= start < end else ""
    try:
        reply = msgspec.json.decode(written, type=kind, strict=False)
        json.loads(written, object_pairs_hook=_distinct, parse_int=str, strict=False)
    except (ValueError, RecursionError):  # msgspec's errors are of ValueError
        return None
    return reply


def _distinct(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError


def _verdict(word: str) -> JudgedAs:
    return parse_verdict(f"[[{word.strip().strip('[]')}]]")


def _written(body: str, verdict: JudgedAs, text: str) -> ReadReply:
    """A body without brackets that read as labels, and the label; the raw text without one."""
    if isinstance(verdict, Unscored):
        return ReadReply(text, verdict.reason)
    bare = _BRACKETS.sub("(", body)
    for plain in (body.replace("[[", "[ ["), bare, _KEY_SIGNS.sub(" ", bare), ""):
        written = f"{plain}\n\n{LABELS[verdict]}".lstrip()
        if parse_verdict(written) == verdict:
            break
    return ReadReply(written)


def _with_label(text: str, verdict: JudgedAs) -> ReadReply:
    return ReadReply(text, verdict.reason if isinstance(verdict, Unscored) else None)


def _with_criteria(text: str, reply: _RubricReply | None) -> ReadReply:
    """A rubric of the judge's own; what is not JSON may be YAML."""
    if reply is None:
        verdict = parse_verdict(text)
        readable = isinstance(parse_rubric(text), Rubric)
        return _with_label(text, verdict if readable or isinstance(verdict, Verdict) else NO_LABEL)
    fields = {one.name: msgspec.structs.asdict(one) for one in reply.criteria}
    if len(fields) < len(reply.criteria):
        return ReadReply(text, "the judge's rubric names a criterion twice")
    return _with_rubric(text, rubric_from(fields, reply.reasons), _verdict(reply.verdict))


def _scored(text: str, reply: _ScoresReply | None, fixed: FixedRubric) -> ReadReply:
    """The scores of a fixed rubric, whose weighted sums are the verdict."""
    if reply is None:
        return ReadReply(text, NO_SCORES.reason)
    if missing := [name for name in fixed if name not in reply.criteria]:
        return ReadReply(text, f"the judge's reply has no scores of {', '.join(missing)}")
    fields = {}
    for name, one in fixed.items():
        given = reply.criteria[name]
        fields[name] = {
            "type": _TYPES[one.type],
            "weight": one.weight,
            "description": one.asks,
            "score_A": given.score_A,
            "score_B": given.score_B,
            "justification_A": given.justification,
        }
    rubric = rubric_from(fields, reply.reasons)
    return _with_rubric(text, rubric, _better(rubric))


def _better(rubric: Rubric | Unscored) -> JudgedAs:
    if isinstance(rubric, Unscored):
        return rubric
    sums = rubric_sums(rubric.criteria)
    if sums.A == sums.B:
        return Verdict.TIE
    return Verdict.A if sums.A > sums.B else Verdict.B


def _with_rubric(text: str, rubric: Rubric | Unscored, verdict: JudgedAs) -> ReadReply:
    if isinstance(rubric, Unscored):
        return ReadReply(text, rubric.reason)
    criteria = {one.name: _plain(one) for one in rubric.criteria}
    document = {"criteria": criteria, "overall_justification": rubric.overall_justification}
    return _written(ryaml.dumps(document), verdict, text)


def _plain(criterion: Criterion) -> dict[str, Any]:
    fields = msgspec.structs.asdict(criterion)
    del fields["name"]
    if criterion.type == "binary":
        fields |= {side: bool(fields[side]) for side in ("score_A", "score_B")}
    return fields
