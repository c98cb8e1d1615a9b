"""Own scorers as AWS's evaluation containers call them: the payload in, the answer out.

Two contracts exist, and one function of the user's serves both. `gen_qa` with custom metrics sends
`{"process_type": "preprocess" | "postprocess", "data"}` and takes `{statusCode, body}`; reward
functions (`rft_eval`, serverless custom scorers) send a list of samples and take a list of rewards.
Source: Amazon SageMaker AI developer guide, "Bring your own metrics" and "Evaluate with preset and
custom scorers".
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from nova_judge.scores.scorer_process import NoScoreError, call_scorer

Score = Callable[..., object]
FAILED = 500  # [?] the container counts such a sample as failed; a 0 would be a score


def handle_event(score: Score, event: object) -> object:
    """The answer to one call of the container.

    A scorer that raises or returns no score answers with status 500 and says why. Raises
    NoScoreError for an event of neither contract.
    """
    if isinstance(event, list) and all(isinstance(sample, dict) for sample in event):
        return _rewards(score, event)
    process_type = event.get("process_type") if isinstance(event, Mapping) else None
    data = event.get("data") if isinstance(event, Mapping) else None
    sample = data[0] if isinstance(data, list) and len(data) == 1 else data
    if not isinstance(sample, dict) or process_type not in ("preprocess", "postprocess"):
        raise NoScoreError(
            'the event is neither a list of samples nor {"process_type": "preprocess" or '
            '"postprocess", "data": {...}}'
        )
    if process_type == "preprocess":
        return _answer({key: sample.get(key) for key in ("system", "prompt", "gold")})
    return _custom_metrics(score, msgspec.convert(sample, Sample))


def _answer(body: object, status: int = 200) -> object:
    return {"statusCode": status, "body": body}


class Sample(msgspec.Struct, frozen=True):
    """A sample of any documented data format; what a field holds is looked at where it is read.

    The formats: SageMaker evaluation (`query`, `model_response`), OpenAI chat (`messages`), Hugging
    Face (`prompt`, `completion`), verl (`prompt` as messages, `response`, `extra_info`), and what
    `gen_qa` sends (`prompt`, `inference_output`, `gold`).
    """

    id: object = None
    prompt: object = None
    query: object = UNSET
    messages: object = None
    model_response: object = UNSET
    completion: object = UNSET
    response: object = None
    inference_output: object = None
    gold: object = None
    reference_answer: object = None
    extra_info: object = None
    metadata: object = None


class SampleRow(NamedTuple):
    """A sample as the user's function takes it."""

    prompt: str
    answer: str
    reference: str
    metadata: object


NO_SAMPLE = SampleRow("", "", "", None)


def _custom_metrics(score: Score, sample: Sample) -> object:
    row = SampleRow(
        _text(sample.prompt), _text(sample.inference_output), _text(sample.gold), sample.metadata
    )
    try:
        metrics = call_scorer(score, row._asdict())
    except NoScoreError as fault:
        return _answer(f"the scorer {fault}", FAILED)
    return _answer([{"metric": name, "value": value} for name, value in metrics.items()])


def _rewards(score: Score, samples: Sequence[object]) -> object:
    rewards = []
    for sample in msgspec.convert(samples, list[Sample]):
        try:
            metrics = call_scorer(score, sample_row(sample)._asdict())
        except NoScoreError as fault:
            return _answer(json.dumps(f"sample {sample.id}: the scorer {fault}"), FAILED)
        rewards.append(_reward(sample.id, metrics))
    return rewards


def _reward(sample_id: object, metrics: Mapping[str, float]) -> object:
    """One sample's reward: its first metric; all of them stand in the list."""
    return {
        "id": sample_id,
        "aggregate_reward_score": next(iter(metrics.values())),
        "metrics_list": [
            {"name": name, "value": value, "type": "Metric" if number else "Reward"}
            for number, (name, value) in enumerate(metrics.items())
        ],
    }


def sample_row(sample: Sample) -> SampleRow:
    """The texts of a sample, wherever its format has them."""
    turns = sample.messages or sample.prompt
    turns = turns if isinstance(turns, list) else []
    users = [turn.get("content") for turn in turns if turn.get("role") == "user"]
    assistants = [turn.get("content") for turn in turns if turn.get("role") == "assistant"]
    asked = users[-1] if users else _first_set(sample.query, sample.prompt)
    if sample.model_response is not UNSET:
        answer = sample.model_response
    else:
        answer = assistants[-1] if assistants else _first_set(sample.completion, sample.response)
    return SampleRow(_text(asked), _text(answer), _reference(sample), sample.metadata)


def _first_set(value: object, otherwise: object) -> object:
    return otherwise if value is UNSET else value


def _reference(sample: Sample) -> str:
    extra = sample.extra_info
    held = sample.reference_answer or (
        extra.get("reference_answer") if isinstance(extra, Mapping) else None
    )
    if isinstance(held, Mapping) and isinstance(held.get("text"), str):
        return str(held["text"])
    return _text(held)


def _text(value: object) -> str:
    """Text as it is, nothing as empty text, anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
