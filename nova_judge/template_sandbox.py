"""Prompts as templates: words with `{{ places }}`, in a sandbox that bounds what they do.

The texts of a row are values and never templates: braces in an answer stay braces. A template reads
the fields of a row, tests and loops over them, and reaches nothing else.

Jinja keeps templates from reaching out. It does not keep them from making a huge value of small
ones, or from running for ever, with nothing printed: a text doubled in a loop, loops in loops, a
macro that calls itself twice. Here every turn of a loop, call, filter, joined text and addition is
paid for from what one prompt may use, and no text, list or number in between grows beyond bounds.
"""

import contextvars
import functools
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sized
from typing import Any

import jinja2
import jinja2.meta
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

LONGEST = 100_000
"""Characters of a template."""
ROW_FAULTS = (
    *(jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError),
    *(AttributeError, RecursionError),
)
"""Errors that a template may raise over one row and not over another."""
MOST_CHARACTERS = 1_000_000
"""Characters of a prompt that a template makes, and of any text or list in between."""
MOST_WORK = 50 * MOST_CHARACTERS
"""Characters that one prompt's loops, calls and filters read and make; a turn counts as 500."""
MOST_SECONDS = 10.0
_TURN = 500
_MOST_BITS = 1024

_HUGE_FILTERS = (
    *("batch", "center", "format", "indent", "replace", "round", "slice", "tojson"),
    *("urlize", "wordwrap", "xmlattr"),
)
_HUGE_METHODS = frozenset(
    {"center", "expandtabs", "format", "format_map", "join", "ljust", "replace", "rjust"}
    | {"translate", "zfill"}
)
_SIZED = (str, list, tuple, dict)


class TooLongError(ValueError):
    """The template makes a prompt, or a value on the way, of more than MOST_CHARACTERS."""


class TooMuchWorkError(ValueError):
    """The template runs longer than a prompt needs."""


class _Budget:
    """The work that is left to one prompt."""

    def __init__(self) -> None:
        self._left = MOST_WORK
        self._end = time.monotonic() + MOST_SECONDS

    def pay(self, work: int) -> None:
        self._left -= work
        if self._left < 0 or time.monotonic() > self._end:
            raise TooMuchWorkError(
                f"the template takes more than {MOST_WORK // _TURN:,} turns of loops, "
                f"{MOST_WORK:,} characters read and made, or {MOST_SECONDS:g} seconds"
            )


_budget: contextvars.ContextVar[_Budget] = contextvars.ContextVar("budget")


def render(template: jinja2.Template, fields: Mapping[str, object]) -> str:
    """The prompt that a template makes of these fields.

    Raises TooLongError, TooMuchWorkError and what a template may raise over a row.
    """
    given = _budget.set(_Budget())
    try:
        return joined(template.generate(fields))
    finally:
        _budget.reset(given)


def joined(parts: Iterable[str]) -> str:
    """The parts as one text, paid for; raises TooLongError."""
    text, size = [], 0
    for part in parts:
        text.append(part)
        size += len(part)
        _allow(size)
    _pay(_TURN + size)
    return "".join(text)


def _pay(work: int) -> None:
    budget = _budget.get(None)
    (budget or _Budget()).pay(work)


def _allow(size: int) -> None:
    if size > MOST_CHARACTERS:
        raise TooLongError(f"the prompt has over {MOST_CHARACTERS:,} characters")


def _size(*values: object) -> int:
    return sum(len(value) for value in values if isinstance(value, _SIZED))


def _together(values: Iterable[object]) -> str:
    """The texts of `a ~ b`."""
    return joined(str(value) for value in values)


def _turns(values: Iterable[Any]) -> Iterator[Any]:
    """The values that a loop goes through."""
    for value in values:
        _pay(_TURN)
        yield value


def _join(values: Iterable[object], d: str = "") -> str:
    """The filter `join`, without attributes: `map` has them."""
    texts = [str(value) for value in _turns(values)]
    _allow(_size(*texts) + len(d) * max(0, len(texts) - 1))
    return joined([d.join(texts)])


def _paid(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that pays for what it reads and makes."""

    @functools.wraps(filter_)
    def paid(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - values of a template
        _pay(_TURN + _size(*arguments, *named.values()))
        made = filter_(*arguments, **named)
        _allow(_size(made))
        _pay(_size(made))
        return made

    return paid


class _Paid(NodeTransformer):
    """Loops count their turns, and `~` the characters that it joins."""

    def __init__(self, environment: jinja2.Environment) -> None:
        self._environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's name
        node.iter = self._filtered(node.iter, "_turns")
        return self.generic_visit(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return self._filtered(nodes.List(node.nodes, lineno=node.lineno), "_together")

    def _filtered(self, value: nodes.Node, name: str) -> nodes.Filter:
        made = nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)
        made.set_environment(self._environment)
        return made


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, without what makes huge values of small ones."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    concat = staticmethod(joined)

    def _generate(self, source: nodes.Template, *rest: Any, **named: Any) -> str:  # noqa: ANN401
        return super()._generate(_Paid(self).visit(source), *rest, **named)

    def call(
        __self,  # noqa: N805 - as Jinja's own, so that a macro may take `self`
        __context: jinja2.runtime.Context,
        __obj: Any,  # noqa: ANN401
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Call what a template may call, and pay for it."""
        of_method = getattr(__obj, "__self__", None)
        _pay(_TURN + _size(of_method, *args, *kwargs.values()))
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(
        self, context: jinja2.runtime.Context, operator: str, left: object, right: object
    ) -> object:
        """Numbers, no powers; texts and lists may be added."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "**" or not (numbers or operator == "+"):
            raise jinja2.exceptions.SecurityError(f"`{operator}` is not allowed here")
        if (
            sum(value.bit_length() for value in (left, right) if isinstance(value, int))
            > _MOST_BITS
        ):
            raise jinja2.exceptions.SecurityError("the number is too large")
        if isinstance(left, Sized) and isinstance(right, Sized):
            _allow(len(left) + len(right))
        _pay(_TURN + _size(left, right))
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """No methods of texts that take a width or a form, or put one text between many."""
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
    made.filters = {name: _paid(each) for name, each in made.filters.items()}
    made.filters |= {"join": _join, "_together": _together, "_turns": _turns}
    del made.globals["lipsum"]
    return made


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
