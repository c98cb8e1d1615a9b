"""Prompts as templates: a file of words with `{{ places }}` in it, rendered in Jinja's sandbox.

The texts of a row are values and never templates: braces in an answer stay braces. A template reads
the fields of a row, tests and loops over them, and reaches nothing else.
"""

import functools
from collections.abc import Collection, Iterator, Mapping

import jinja2
import jinja2.meta

from nova_judge.template_sandbox import render, sandbox

LONGEST = 100_000
"""Characters of a template."""
ROW_FAULTS = (
    *(jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError),
    *(AttributeError, RecursionError),
)
"""Errors that a template may raise over one row and not over another."""


class MissingFieldError(Exception):
    """The template uses a field that the row does not have."""


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
        return render(_template(text), fields).strip()
    except jinja2.UndefinedError as error:
        raise MissingFieldError(str(error)) from error


@functools.lru_cache(maxsize=16)
def _template(text: str) -> jinja2.Template:
    return sandbox().from_string(text)
