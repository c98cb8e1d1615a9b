"""Read the answer of an OpenAI-compatible server: one JSON object, or a stream of events.

The text may be a string, content parts, or nothing beside a thought; whether it is finished says
`finish_reason`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from nova_judge.thoughts import without_thoughts

_CUT = ("length", "max_tokens", "max_output_tokens", "model_length")
_FILTERED = ("content_filter", "safety", "recitation")
_FINISHED = ("stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete", "completed")


class NotACompletionError(Exception):
    """The answer is not in OpenAI's form."""


class Completion(NamedTuple):
    """Text that the model wrote, and the tokens that the server counted."""

    text: str
    finish_reason: str
    input_tokens: int | None
    output_tokens: int | None
    thought: str = ""
    refusal: str = ""

    @property
    def plain_reason(self) -> str:
        """`length` and `content_filter` for whatever a server calls them; others as they are."""
        ended = self.finish_reason.lower()
        if ended in _CUT:
            return "length"
        return "content_filter" if ended in _FILTERED else self.finish_reason

    def failure(self) -> str | None:
        """Reason why this is not a finished answer; None where it is one."""
        ended, reason = self.finish_reason.lower(), f"(finish_reason {self.finish_reason})"
        if ended in _CUT:
            return f"the output was cut off {reason}"
        if ended in _FILTERED:
            return f"the server withheld the output {reason}"
        if not without_thoughts(self.text).text.strip():
            return self._why_empty()
        return None if ended in _FINISHED else f"the output was not finished {reason}"

    def _why_empty(self) -> str:
        if self.refusal:
            return f"the model refused: {self.refusal[:200]}"
        if self.thought or self.text.strip():
            return "the model wrote a thought and no answer"
        return f"the model wrote nothing (finish_reason {self.finish_reason})"


class _Part(msgspec.Struct):
    type: str = "text"
    text: str | None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None

    def text(self) -> str:
        """The content as one text; other parts, such as thoughts, are left out."""
        if isinstance(self.content, list):
            return "".join(p.text or "" for p in self.content if p.type in ("text", "output_text"))
        return self.content or ""

    def thought(self) -> str:
        return self.reasoning_content or self.reasoning or ""


class _Choice(msgspec.Struct):
    message: _Message = msgspec.field(default_factory=_Message)
    delta: _Message = msgspec.field(default_factory=_Message)
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


_decoder = msgspec.json.Decoder(_Answer)


def read_completion(data: bytes) -> Completion:
    """The first choice of an answer. Raises NotACompletionError."""
    try:
        return first_choice(data)
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError) as error:
        problem = "it holds no choice" if isinstance(error, IndexError) else str(error)
        raise NotACompletionError(problem) from error


def first_choice(data: bytes) -> Completion:
    """The first choice of an answer. Raises what reading raises, IndexError where it holds none."""
    answers = list(_streamed(data)) if data.lstrip().startswith(b"data:") else []
    if not answers:
        answer = _decoder.decode(data)
        return _completed(answer.choices[:1], [answer.choices[0].message], answer.usage, "stop")
    choices = [answer.choices[0] for answer in answers if answer.choices]
    usage = next((answer.usage for answer in reversed(answers) if answer.usage), None)
    # A stream that breaks off names no end.
    return _completed(choices, [choice.delta for choice in choices], usage, "length")


def _streamed(data: bytes) -> Iterator[_Answer]:
    """The events of a server that only streams."""
    for line in data.split(b"\n"):
        event = line.strip().removeprefix(b"data:").strip()
        if event.startswith(b"{"):
            yield _decoder.decode(event)


def _completed(
    choices: list[_Choice], messages: list[_Message], usage: _Usage | None, unnamed: str
) -> Completion:
    """The messages as one; `unnamed` is the end where no choice names it."""
    counted = usage or _Usage()
    ends = [choice.finish_reason for choice in choices if choice.finish_reason]
    return Completion(
        "".join(message.text() for message in messages),
        ends[-1] if ends else unnamed,
        counted.prompt_tokens,
        counted.completion_tokens,
        "".join(message.thought() for message in messages),
        "".join(message.refusal or "" for message in messages),
    )
