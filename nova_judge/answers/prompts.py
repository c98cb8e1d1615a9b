"""What a candidate is asked: a row's question, with an instruction and with turns before it.

Templates make it in Jinja's sandbox from the fields of a row, once per row. A template knows
`prompt`, `context`, `system`, `category` and `id` of the row, and the candidate's `examples`. It
never sees the reference or an answer.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

import jinja2
import msgspec
from jinja2.meta import find_undeclared_variables

from nova_judge.errors import GenerationFailedError
from nova_judge.recipe.asked_model import Message
from nova_judge.recipe.recipe import CandidateSpec
from nova_judge.recipe.shape import not_one_of
from nova_judge.records import InputRow
from nova_judge.template_sandbox import ROW_FAULTS, TooLongError, render, sandbox

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


VARIABLES = ("prompt", "context", "system", "category", "id", "examples")


_SANDBOX = sandbox()


def template_problems(where: str, asked: CandidateSpec) -> Iterator[str]:
    """The faults of a candidate's templates; `where` names its place in the recipe."""
    if asked.prompt is not None and asked.messages:
        yield f"{where}: found prompt and messages; one of the two says how the model is asked"
        return
    if asked.examples and not asked.turns:
        yield f"{where}.examples: nothing shows them: write a prompt or messages that do"
    yield from _order_problems(f"{where}.messages", asked.messages)
    used: set[str] = set()
    for number, turn in enumerate(asked.turns):
        key = f"{where}.prompt" if asked.prompt else f"{where}.messages[{number}].content"
        try:
            names = find_undeclared_variables(_SANDBOX.parse(turn.content))
        except jinja2.TemplateSyntaxError as error:
            yield f"{key}: line {error.lineno}: {error.message}"
            return
        yield from (
            not_one_of(key, name, VARIABLES, "variables of a template")
            for name in sorted(names - set(VARIABLES))
        )
        used |= names
    if asked.turns and "prompt" not in used:
        yield f"{where}: no template holds {{{{ prompt }}}}: every row would be asked the same"


def _order_problems(where: str, messages: Sequence[Message]) -> Iterator[str]:
    expected = ("user", "assistant")
    for number, message in enumerate(messages):
        if message.role != expected[number % 2]:
            yield (
                f"{where}[{number}].role: found {message.role}; turns alternate, the first and the "
                "last are the user's (an instruction stands in `system`)"
            )
            return
    if messages and messages[-1].role != "user":
        yield f"{where}: the last turn is the assistant's; the user's question comes last"


def prompt_maker(asked: CandidateSpec) -> Callable[[InputRow], str]:
    """The function that makes a row's prompt; it raises GenerationFailedError where none can be."""
    if not asked.turns:
        return prompt_of
    templates = [(turn.role, _SANDBOX.from_string(turn.content)) for turn in asked.turns]

    def made(row: InputRow) -> str:
        *before, last = [
            Said(role, _text(template, row, asked.examples)) for role, template in templates
        ]
        return Prompt(last.text, row.system, tuple(before)) if before or row.system else last.text

    return made


def _text(template: jinja2.Template, row: InputRow, examples: object) -> str:
    fields = {
        "prompt": row.prompt,
        "context": row.context or "",
        "system": row.system or "",
        "category": row.category or "",
        "id": row.id,
        "examples": examples,
    }
    try:
        return render(template, fields)
    except TooLongError as error:
        raise GenerationFailedError(f"line {row.line}: {error}") from error
    except ROW_FAULTS as error:
        raise GenerationFailedError(
            f"line {row.line}: the prompt template cannot be rendered: {error}"
        ) from error
