"""Prompts as templates: a file of words with `{{ places }}` in it, rendered in Jinja's sandbox.

The texts of a row are values and never templates: braces in an answer stay braces. A template reads
the fields of a row, tests and loops over them, and reaches nothing else.
"""

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping

import jinja2
import jinja2.meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 100_000
"""Characters of a template."""
MOST_CHARACTERS = 1_000_000
"""Characters of a prompt that a template makes."""

_HUGE_FILTERS = ("batch", "center", "format", "indent", "replace", "round", "slice", "tojson")
_HUGE_METHODS = frozenset(
    {"center", "expandtabs", "format", "format_map", "ljust", "replace", "rjust", "zfill"}
)
ROW_FAULTS = (
    *(jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError),
    AttributeError,
)
"""Errors that a template may raise over one row and not over another."""


class MissingFieldError(Exception):
    """The template uses a field that the row does not have."""


class TooLongError(ValueError):
    """The template makes a prompt of more than MOST_CHARACTERS."""


def template_problems(
    text: str, allowed: Collection[str], needed: Collection[str]
) -> Iterator[str]:
    """The faults of a template: its syntax, the fields that it uses, and those that it leaves."""
    if len(text) > LONGEST:
        yield f"it has {len(text):,} characters; at most {LONGEST:,} are read"
        return
    try:
        used = jinja2.meta.find_undeclared_variables(sandbox().parse(text))
        rendered(text, {name: f"({name})" for name in allowed})
    except jinja2.TemplateSyntaxError as error:
        yield f"line {error.lineno}: {error.message}"
        return
    except MissingFieldError:
        used = jinja2.meta.find_undeclared_variables(sandbox().parse(text))
    except Exception as error:  # whatever a template of the user's raises when it is rendered
        yield f"it cannot be rendered: {type(error).__name__}: {error}"
        return
    places = ", ".join(f"{{{{ {name} }}}}" for name in allowed)
    for name in sorted(used - set(allowed)):
        yield f"it uses {{{{ {name} }}}}; there are {places}"
    for name in sorted(set(needed) - used):
        yield f"it never uses {{{{ {name} }}}}, which a judge has to see"


def rendered(text: str, fields: Mapping[str, str]) -> str:
    """The template with a row's fields in their places; raises MissingFieldError.

    `{% if context is defined %}` asks for a field that not every row has.
    """
    try:
        return joined(_template(text).generate(fields)).strip()
    except jinja2.UndefinedError as error:
        raise MissingFieldError(str(error)) from error


def joined(parts: Iterable[str]) -> str:
    """The parts that a template generates as one text; raises TooLongError."""
    text, size = [], 0
    for part in parts:
        text.append(part)
        size += len(part)
        if size > MOST_CHARACTERS:
            raise TooLongError(f"the prompt has over {MOST_CHARACTERS:,} characters")
    return "".join(text)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, without what makes huge values of small ones."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(
        self, context: jinja2.runtime.Context, operator: str, left: object, right: object
    ) -> object:
        """Numbers only, and no powers."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "**" or not numbers:
            raise jinja2.exceptions.SecurityError(f"`{operator}` is not allowed here")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """No methods of texts that take a width or a form."""
        if isinstance(obj, str) and attr in _HUGE_METHODS:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: object) -> None:
        """Let `is_safe_attribute` refuse `format`, which Jinja's own wrapper would allow."""


@functools.cache
def sandbox() -> Sandbox:
    """The sandbox of all templates; a field that is not there is an error."""
    made = Sandbox(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=False)
    for name in _HUGE_FILTERS:
        del made.filters[name]
    del made.globals["lipsum"]
    return made


@functools.lru_cache(maxsize=16)
def _template(text: str) -> jinja2.Template:
    return sandbox().from_string(text)
