"""Templates of prompts: Jinja's sandbox over the fields of a row, rendered once per row.

A template knows `prompt`, `context`, `system`, `category` and `id` of the row, and the candidate's
`examples`. It never sees the reference or an answer.
"""

from collections.abc import Callable, Iterator, Sequence

import jinja2
from jinja2.meta import find_undeclared_variables

from nova_judge.answers.prompts import Prompt, Said, prompt_of
from nova_judge.errors import GenerationFailedError
from nova_judge.prompt_template import ROW_FAULTS
from nova_judge.recipe.asked_model import Message
from nova_judge.recipe.recipe import CandidateSpec
from nova_judge.recipe.shape import not_one_of
from nova_judge.records import InputRow
from nova_judge.template_sandbox import TooLongError, render, sandbox

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
