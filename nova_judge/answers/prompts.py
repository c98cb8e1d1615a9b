"""What a candidate is asked: a row's question, with an instruction and with turns before it."""

import hashlib
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from nova_judge.records import InputRow

NAME_BYTES = 16
Role: TypeAlias = Literal["user", "assistant"]


class Said(NamedTuple):
    """A message of a conversation, before the question that is answered."""

    role: Role
    text: str


class Prompt(str):
    """A question with an instruction of its own, or with messages before it.

    `system` stands in for the recipe's where it is not None.
    """

    __slots__ = ("before", "system")
    system: str | None
    before: tuple[Said, ...]

    def __new__(
        cls, text: str, system: str | None = None, before: tuple[Said, ...] = ()
    ) -> "Prompt":
        prompt = super().__new__(cls, text)
        prompt.system, prompt.before = system, before
        return prompt

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prompt) and prompt_name(self) == prompt_name(other)

    def __hash__(self) -> int:
        return hash((str(self), self.system, self.before))


def prompt_of(row: InputRow) -> str:
    """Question of a row, with the row's own instruction where it has one."""
    return Prompt(row.question, row.system) if row.system else row.question


def system_of(prompt: str, recipe: str | None) -> str | None:
    """The instruction that goes with a prompt: its own, else the recipe's."""
    own = prompt.system if isinstance(prompt, Prompt) else None
    return recipe if own is None else own


def messages_in(prompt: str) -> tuple[Said, ...]:
    """The messages of a call, of which the last is the question."""
    before = prompt.before if isinstance(prompt, Prompt) else ()
    return (*before, Said("user", str(prompt)))


def prompt_name(prompt: str) -> bytes:
    """The name of a prompt among one model's answers."""
    asked = str(prompt)
    if isinstance(prompt, Prompt):
        if prompt.system is not None:
            asked = f"{len(prompt.system)} {prompt.system}{prompt}"
        if prompt.before:
            asked = f"{msgspec.json.encode(prompt.before).decode()}{asked}"
    return hashlib.sha256(asked.encode()).digest()[:NAME_BYTES]
