"""`judge.model` of a recipe and what belongs to it: a judge that is asked by calls."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta

from nova_judge.errors import RecipeError
from nova_judge.folders import DATA
from nova_judge.recipe.files import Beside
from nova_judge.recipe.nova_block import Positive, Section, Text
from nova_judge.recipe.shape import did_you_mean
from nova_judge.template_sandbox import template_problems

__all__ = ["default_prompt", "shipped_prompt"]

PER_QUESTION: Final = "per_question"
FIELDS: Final = (
    *("prompt", "first", "second", "question", "context", "reference", "system", "criteria"),
)
"""What a judge's prompt may show: `first` and `second` are the answers in the order shown.

`prompt` is all that the candidates were given; `question`, `context` and `system` are its parts.
"""
_NEEDED: Final = ("first", "second")
_SHIPPED: Final = DATA / "judges"
_CRITERION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_MOST_CRITERIA = 20


class FixedCriterion(Section, frozen=True):
    """One criterion of a fixed rubric: a scale from 1 to 5, or pass or fail."""

    asks: Text
    weight: Annotated[float, Meta(gt=0, le=100)] = 1.0
    type: Literal["scale", "pass_fail"] = "scale"


class JudgePrompt(Section, frozen=True):
    """The words that a judge is asked with: a template by the name of its file."""

    name: Text
    text: Text

    def __str__(self) -> str:
        return f"{self.name} ({self.digest})"

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that differ where the words do."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


class CallSettings(Section, frozen=True):
    """How a judge is asked. `max_tokens` of None: 1,024 for a verdict, 4,096 with a rubric.

    `structured`: the reply is asked for by a JSON schema, which models that do not know it are
    asked without. `batch_from`: from this many rows on, Bedrock judges answer in batch inference.
    """

    max_tokens: Positive | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = 0.0
    call_timeout_s: Annotated[float, Meta(gt=0, le=600)] = 120.0
    tries: Positive = 300
    structured: bool = True
    batch_from: Positive | None = None


FixedRubric: TypeAlias = dict[str, FixedCriterion]


def with_prompt_by_name(document: dict[str, Any], beside: Beside | None) -> dict[str, Any]:
    """A recipe's document with its judge's prompt in full, where it names one.

    A name is that of a file beside the recipe, else of a prompt that ships; a judge that is asked
    by calls has one in any case. Raises RecipeError.
    """
    judge = document.get("judge")
    if not isinstance(judge, dict):
        return document
    name = judge.get("prompt")
    if name is None and ("model" in judge or "panel" in judge):
        name = default_prompt(judge.get("rubric")).name
    if not isinstance(name, str):
        return document
    text = _prompt_text(name, beside)
    return {**document, "judge": {**judge, "prompt": {"name": name, "text": text}}}


def shipped_prompt(name: str) -> JudgePrompt:
    """A prompt that ships, by its name without `.md`.

    >>> "{{ first }}" in shipped_prompt("pairwise").text
    True
    """
    return JudgePrompt(name=name, text=(_SHIPPED / f"{name}.md").read_text("utf-8"))


def default_prompt(rubric: FixedRubric | str | None) -> JudgePrompt:
    """The prompt of a judge that is given no words of its own.

    >>> default_prompt(None).name, default_prompt("per_question").name
    ('pairwise', 'rubric')
    """
    if rubric is None:
        return shipped_prompt("pairwise")
    return shipped_prompt("rubric" if rubric == PER_QUESTION else "fixed-rubric")


def prompt_problems(prompt: JudgePrompt, rubric: FixedRubric | str | None) -> Iterator[str]:
    """The faults of a judge's words and of its fixed rubric."""
    fixed = isinstance(rubric, dict)
    needed = (*_NEEDED, "criteria") if fixed else _NEEDED
    allowed = FIELDS if fixed else tuple(name for name in FIELDS if name != "criteria")
    for problem in template_problems(prompt.text, allowed, needed):
        yield f"judge.prompt: {prompt.name}: {problem}"
    if not isinstance(rubric, dict):
        return
    if not 0 < len(rubric) <= _MOST_CRITERIA:
        yield f"judge.rubric: found {len(rubric)} criteria; 1 to {_MOST_CRITERIA} are allowed"
    for name in rubric:
        if not _CRITERION.fullmatch(name):
            yield (
                f"judge.rubric: found {name[:60]!r}; a criterion's name has letters, digits and _, "
                "begins with a letter and has at most 40 characters"
            )


def _prompt_text(name: str, beside: Beside | None) -> str:
    own = _read_beside(name, beside)
    if own is not None:
        return own
    shipped = sorted(path.stem for path in _SHIPPED.glob("*.md"))
    if name in shipped:
        return shipped_prompt(name).text
    raise RecipeError(
        f"judge.prompt: {name[:200]!r} is neither a file beside the recipe nor a prompt that "
        f"ships: {', '.join(shipped)}{did_you_mean(name, shipped)}"
    )


def _read_beside(name: str, beside: Beside | None) -> str | None:
    """The text of a file beside the recipe, or below; None where there is none."""
    path = Path(name)
    if beside is None or path.is_absolute() or ".." in path.parts:
        return None
    try:
        return beside(name).decode("utf-8")
    except OSError:
        return None
    except UnicodeDecodeError as error:
        raise RecipeError(f"judge.prompt: {name}: it is not UTF-8: {error}") from None
