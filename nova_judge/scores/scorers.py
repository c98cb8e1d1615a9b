"""Own scorers as AWS's evaluation containers call them: the payload in, the answer out.

Two contracts exist, and one function of the user's serves both. `gen_qa` with custom metrics sends
`{"process_type": "preprocess" | "postprocess", "data"}` and takes `{statusCode, body}`; reward
functions (`rft_eval`, serverless custom scorers) send a list of samples and take a list of rewards.
Source: Amazon SageMaker AI developer guide, "Bring your own metrics" and "Evaluate with preset and
custom scorers".
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
    return _custom_metrics(score, sample)


def _answer(body: object, status: int = 200) -> dict[str, object]:
    return {"statusCode": status, "body": body}


def _custom_metrics(score: Score, sample: Mapping[str, Any]) -> dict[str, object]:
    row = {
        "prompt": _text(sample.get("prompt")),
        "answer": _text(sample.get("inference_output")),
        "reference": _text(sample.get("gold")),
        "metadata": sample.get("metadata"),
    }
    try:
        metrics = call_scorer(score, row)
    except NoScoreError as fault:
        return _answer(f"the scorer {fault}", FAILED)
    return _answer([{"metric": name, "value": value} for name, value in metrics.items()])


def _rewards(score: Score, samples: Sequence[Mapping[str, Any]]) -> object:
    rewards = []
    for sample in samples:
        try:
            metrics = call_scorer(score, sample_row(sample))
        except NoScoreError as fault:
            return _answer(json.dumps(f"sample {sample.get('id')}: the scorer {fault}"), FAILED)
        rewards.append(_reward(sample.get("id"), metrics))
    return rewards


def _reward(sample_id: object, metrics: Mapping[str, float]) -> dict[str, object]:
    """One sample's reward: its first metric; all of them stand in the list."""
    return {
        "id": sample_id,
        "aggregate_reward_score": next(iter(metrics.values())),
        "metrics_list": [
            {"name": name, "value": value, "type": "Metric" if number else "Reward"}
            for number, (name, value) in enumerate(metrics.items())
        ],
    }


def sample_row(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A sample of any documented data format as `prompt`, `answer`, `reference`, `metadata`.

    The formats: SageMaker evaluation (`query`, `model_response`), OpenAI chat (`messages`), Hugging
    Face (`prompt`, `completion`) and verl (`prompt` as messages, `response`, `extra_info`).
    """
    turns = sample.get("messages") or sample.get("prompt")
    turns = turns if isinstance(turns, list) else []
    users = [turn.get("content") for turn in turns if turn.get("role") == "user"]
    assistants = [turn.get("content") for turn in turns if turn.get("role") == "assistant"]
    asked = users[-1] if users else sample.get("query", sample.get("prompt"))
    if "model_response" in sample:
        answer = sample["model_response"]
    else:
        answer = assistants[-1] if assistants else sample.get("completion", sample.get("response"))
    return {
        "prompt": _text(asked),
        "answer": _text(answer),
        "reference": _reference(sample),
        "metadata": sample.get("metadata"),
    }


def _reference(sample: Mapping[str, Any]) -> str:
    extra = sample.get("extra_info")
    held = sample.get("reference_answer") or (
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
