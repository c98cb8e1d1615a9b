"""Parts of how a candidate is asked: turns as templates, and examples that they may show."""

from typing import Literal, TypeAlias

from nova_judge.recipe.nova_block import Section, Text

Example: TypeAlias = dict[str, str | int | float | bool | None]


class Message(Section, frozen=True):
    """One turn; `content` is a template."""

    role: Literal["user", "assistant"]
    content: Text
