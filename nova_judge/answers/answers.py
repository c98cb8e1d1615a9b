"""Answers of candidates, failures to answer, and the names under which both are kept."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from nova_judge.recipe.recipe import Generation


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer of a model. `cached`: another run asked, this one read it from the store.

    `model`: the one that answered, where a prompt router chose among several.
    """

    text: str
    tries: int = 1
    cached: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    finish_reason: str | None = None
    latency_s: float | None = None
    model: str | None = None


def lasting(answer: Answer) -> Answer:
    """An answer without the accidents of asking: the same bytes from every repeat."""
    return msgspec.structs.replace(answer, tries=1, latency_s=None)


class FailedAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row without an answer: `reason` groups such rows, `detail` is the endpoint's message."""

    reason: str
    tries: int
    detail: str = ""


class Setback(msgspec.Struct, frozen=True, omit_defaults=True):
    """Cost of a row without an answer so far; `failed` once it is given up.

    `spent_s`: the seconds of its calls and of the pauses after them, not those it stood in line.
    `overtaken`: calls that began later were answered, so that no queue is why it timed out.
    """

    tries: int
    spent_s: float
    failed: FailedAnswer | None = None
    overtaken: bool = False


AnswerOutcome: TypeAlias = Answer | FailedAnswer


class Port(Protocol):
    """One candidate's model."""

    def ask(self, prompt: str) -> Answer:
        """One answer; raises `retries.CallFailed`. Called from many threads at once."""


class Journal(Protocol):
    """Store of one candidate's answers to one shard."""

    def find(self, prompts: Sequence[str]) -> Mapping[str, Answer]:
        """The stored answers among those to `prompts`."""

    def setbacks(self, prompts: Sequence[str]) -> Mapping[str, Setback]:
        """Costs of those `prompts` that failed before, in the same execution."""

    def set_back(self, setbacks: Mapping[str, Setback]) -> None:
        """Store what prompts cost, for the next call of this execution."""

    def add(self, prompt: str, answer: Answer) -> None:
        """Take one answer; may be called from any thread."""

    def flush(self) -> None:
        """Store all that was added; when this returns, it will be found again."""


def model_name(model: str, settings: Generation) -> str:
    """The name of a model as it is asked: equal names give interchangeable answers.

    `model` must change when the weights do (a model id with its version, a checkpoint's S3 URI with
    its image). Settings that only say how often or how long to try are not part of the name.
    """
    asked: tuple[object, ...] = (
        model,
        settings.max_tokens,
        settings.temperature,
        settings.top_p,
        settings.stop,
        settings.system,
        settings.seed,
    )
    if settings.json_schema is not None:
        asked = (*asked, settings.json_schema)
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:32]
