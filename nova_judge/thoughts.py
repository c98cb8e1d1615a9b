"""Thoughts that a reasoning model writes before its answer, and how they are taken off.

What is left is the answer. A thought that is opened and never closed has swallowed the answer: the
model ran out of tokens while it thought. The signs are those of the models' chat templates: Qwen's,
DeepSeek's and Claude's tags, Mistral's brackets, and the tokens of Kimi, gpt-oss, Cohere, Apertus,
Gemma and OpenThinker.
"""

import re
from typing import NamedTuple

_NAME = r"(?:(?:ant|seed:|mm:)?think|thinking|antthinking|thoughts?|reasoning|reflection)"
_OPEN = re.compile(
    rf"<{_NAME}(?: [^<>\n]{{0,80}})?>|\[THINK\]|◁think▷|<\|begin_of_thought\|>"
    r"|<\|channel\|>analysis<\|message\|>|<\|START_THINKING\|>|<\|inner_prefix\|>"
    r"|<\|channel>thought\b|<unused94>thought\b",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"</{_NAME} ?>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>|<\|channel\|>final<\|message\|>"
    r"|<\|END_THINKING\|>|<\|inner_suffix\|>|<channel\|>|<unused95>",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r"<\|(?:begin|end)_of_solution\|>|<\|(?:end|return|im_end|eot_id)\|>|<\|start\|>assistant"
    r"|<\|(?:START|END)_RESPONSE\|>"
)


class Answered(NamedTuple):
    """Text of a model beside its thoughts; `finished` is False where a thought never ended."""

    text: str
    finished: bool = True


def without_thoughts(text: str) -> Answered:
    """`text` without its thoughts; as it is where it holds none.

    Where the opening tag is part of the model's prompt, the text begins inside a thought: then
    everything up to the last closing tag goes.
    """
    parts: list[str] = []
    position = 0
    finished = True
    while finished and (opened := _OPEN.search(text, position)):
        parts.append(text[position : opened.start()])
        closed = _CLOSE.search(text, opened.end())
        finished = closed is not None
        position = closed.end() if closed else len(text)
    if not parts and _CLOSE.search(text) is None:
        return Answered(text)
    parts.append(text[position:])
    answer = _CLOSE.split("".join(parts))[-1]
    return Answered(_FRAME.sub("", answer).strip(), finished)
