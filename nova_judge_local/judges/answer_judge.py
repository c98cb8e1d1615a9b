"""Judges of single answers in local mode, in place of Bedrock's.

`reference` compares with the row's reference and measures Correctness (token F1) and Completeness
(the share of the reference's tokens that the answer has); it has no opinion on anything else.
`openai:URL#MODEL` asks any OpenAI-compatible server, for custom metrics too.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, Protocol

import msgspec

from nova_judge.errors import LocalModeError
from nova_judge.pairs.judge_reply import object_in
from nova_judge.recipe.bedrock_judge import BUILTIN, bedrock_evaluation
from nova_judge.thoughts import without_thoughts
from nova_judge_local.emulator_settings import ChatServer
from nova_judge_local.judges.chat_server import complete, parse_chat_server
from nova_judge_local.judges.squad_scores import token_f1, tokens

OPENING = "Stand-in judge "  # every explanation begins so, so that the report can say who judged
_LEVELS = 5


class Opinion(NamedTuple):
    """Opinion of a judge on one answer by one metric; no result where it has none."""

    result: float | str | None
    explanation: str


class AnswerToJudge(NamedTuple):
    """One answer as a judge sees it."""

    prompt: str
    text: str
    reference: str | None


class AnswerJudge(Protocol):
    """Scores one answer by one metric; `custom` is a custom metric's definition."""

    def opinion(
        self, answer: AnswerToJudge, metric: str, custom: Mapping[str, Any] | None
    ) -> Opinion:
        """The opinion on one answer."""


class ReferenceAnswerJudge:
    """Measures against the row's reference, and nothing else."""

    name = "reference (token F1 and recall against the row's reference)"

    def opinion(
        self, answer: AnswerToJudge, metric: str, custom: Mapping[str, Any] | None
    ) -> Opinion:
        """Correctness and Completeness of rows with a reference."""
        plain = metric.removeprefix(BUILTIN)
        if custom is not None or plain not in ("Correctness", "Completeness"):
            return self._opinion(None, "it measures Correctness and Completeness only")
        if not answer.reference:
            return self._opinion(None, "the row has no reference")
        if plain == "Correctness":
            f1 = token_f1(answer.text, answer.reference)
            return self._opinion(f1, f"token F1 against the reference is {f1:.3f}")
        recall = _recall(answer.text, answer.reference)
        return self._opinion(recall, f"the answer has {recall:.0%} of the reference's tokens")

    def _opinion(self, result: float | None, why: str) -> Opinion:
        return Opinion(result, f"{OPENING}{self.name}: {why}")


class _Reply(msgspec.Struct):
    rating: object = ""
    explanation: object = ""


class ChatAnswerJudge:
    """A model behind an OpenAI-compatible server."""

    def __init__(self, server: ChatServer) -> None:
        if server.model is None:
            raise LocalModeError(f"Name the judge's model: openai:{server.url}#MODEL")
        self.name = f"openai ({server.model})"
        self._server, self._model = server, server.model

    def opinion(
        self, answer: AnswerToJudge, metric: str, custom: Mapping[str, Any] | None
    ) -> Opinion:
        """Ask the model; an answer that names no rating has no result."""
        scale = _scale(custom)
        asked = _custom_prompt(answer, custom) if custom else _builtin_prompt(answer, metric)
        prompt = (
            f"{asked}\n\nAnswer with one JSON object and nothing else: "
            f'{{"rating": one of {json.dumps(list(scale))}, "explanation": why, in a sentence}}'
        )
        messages = [{"role": "user", "content": prompt}]
        try:
            done = complete(self._server, self._model, messages, {"temperature": 0})
        except LocalModeError as error:
            return Opinion(None, f"{OPENING}{self.name}: {error}")
        if (failure := done.failure()) is not None:
            return Opinion(None, f"{OPENING}{self.name}: {failure}")
        text = without_thoughts(done.text).text
        reply = object_in(text, _Reply) or _Reply()
        rating = str(reply.rating)
        why = str(reply.explanation) if rating in scale else f"no rating in {text[:200]!r}"
        return Opinion(scale.get(rating), f"{OPENING}{self.name}: {why}")


def answer_judge(spec: str, api_key: str | None = None) -> AnswerJudge:
    """The judge that `--judge` names; raises LocalModeError with the forms allowed."""
    kind, _, rest = spec.partition(":")
    if spec == "reference":
        return ReferenceAnswerJudge()
    if kind == "openai" and rest:
        return ChatAnswerJudge(parse_chat_server(rest, api_key))
    raise LocalModeError(
        f"{spec!r} cannot score single answers: reference and openai:URL#MODEL can."
    )


def judged_lines(
    judge: AnswerJudge,
    records: Iterable[Mapping[str, Any]],
    metrics: Sequence[str],
    custom: Mapping[str, Mapping[str, Any]],
    at_once: int,
) -> list[dict[str, Any]]:
    """The lines of Bedrock's output for those of its input, so many at once."""
    judged = partial(judged_line, judge, metrics=metrics, custom=custom)
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(judged, records))


def judged_line(
    judge: AnswerJudge,
    record: Mapping[str, Any],
    metrics: Sequence[str],
    custom: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """One line of Bedrock's output for one line of its input."""
    answer = AnswerToJudge(
        record["prompt"], record["modelResponses"][0]["response"], record.get("referenceResponse")
    )
    scores = []
    for metric in metrics:
        opinion = judge.opinion(answer, metric, custom.get(metric))
        detail = {"modelIdentifier": "local", "explanation": opinion.explanation}
        scores.append(
            {"metricName": metric, "result": opinion.result, "evaluatorDetails": [detail]}
        )
    return {
        "automatedEvaluationResult": {"scores": scores},
        "inputRecord": dict(record),
        "modelResponses": record["modelResponses"],
    }


def _recall(answer: str, reference: str) -> float:
    given, wanted = map(Counter, tokens(answer, reference))
    return (given & wanted).total() / wanted.total() if wanted else 0.0


def _scale(custom: Mapping[str, Any] | None) -> dict[str, float | str]:
    if custom is None:
        return {str(step): step / (_LEVELS - 1) for step in range(_LEVELS)}
    return {
        rating["definition"]: next(iter(rating["value"].values()))
        for rating in custom.get("ratingScale", [])
    }


def _custom_prompt(answer: AnswerToJudge, custom: Mapping[str, Any]) -> str:
    values = {
        "prompt": answer.prompt,
        "prediction": answer.text,
        "ground_truth": answer.reference or "",
    }
    parts = re.split(r"\{\{\s*(prompt|prediction|ground_truth)\s*\}\}", custom["instructions"])
    return "".join(values[part] if place % 2 else part for place, part in enumerate(parts))


def _builtin_prompt(answer: AnswerToJudge, metric: str) -> str:
    asks = bedrock_evaluation().metrics[metric.removeprefix(BUILTIN)].asks
    reference = f"\n\nReference:\n{answer.reference}" if answer.reference else ""
    return (
        f"Judge the answer to a prompt: {asks}? 0 means not at all, 4 means fully.\n\n"
        f"Prompt:\n{answer.prompt}\n\nAnswer:\n{answer.text}{reference}"
    )
