"""`judge.bedrock` of a recipe: Amazon Bedrock's judge (LLM as a judge) and its metrics.

Metrics are built in, or one's own within Bedrock's limits. A custom metric is a YAML file under
`recipes/metrics/`, key for key as Bedrock reads it; the request's own
`{"customMetricDefinition": …}` is read too.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import ryaml
from msgspec import Meta

from nova_judge.errors import RecipeError
from nova_judge.folders import RECIPES, data_file
from nova_judge.recipe.asked_model import TokenPrice
from nova_judge.recipe.nova_block import Section, Text
from nova_judge.recipe.shape import did_you_mean
from nova_judge.records import Candidate

BUILTIN = "Builtin."
METRICS_FOLDER = RECIPES / "metrics"

_WRAPPER = "customMetricDefinition"
_NAME = re.compile(r"[0-9a-zA-Z_.-]+")
_VARIABLE = re.compile(r"\{\{\s*(\w*)\s*\}\}")


class BuiltinMetric(msgspec.Struct, frozen=True):
    """A metric of Bedrock's own; results lie in [0, 1]."""

    better: Literal["higher", "lower"]
    asks: str


class Limits(msgspec.Struct, frozen=True):
    """The limits of one evaluation job."""

    prompts_per_job: int
    metrics_per_job: int
    custom_metrics_per_job: int
    metric_name_characters: int
    instructions_characters: int
    ratings: int
    rating_definition_characters: int


class BedrockEvaluation(msgspec.Struct, frozen=True):
    """`data/bedrock_evaluation.json`."""

    read: str
    source: tuple[str, ...]
    limits: Limits
    variables: tuple[str, ...]
    metrics: dict[str, BuiltinMetric]


bedrock_evaluation = data_file("bedrock_evaluation.json", BedrockEvaluation)
"""Bedrock's metrics and limits, with the date they were read."""


class RatingValue(Section, frozen=True, omit_defaults=True):
    """Exactly one of the two, as the API has it."""

    floatValue: float | None = None
    stringValue: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class Rating(Section, frozen=True):
    """One step of a rating scale."""

    definition: str
    value: RatingValue


class CustomMetric(Section, frozen=True, omit_defaults=True):
    """A metric of one's own. Without a scale Bedrock gives no number."""

    name: str
    instructions: str
    ratingScale: tuple[Rating, ...] = ()
    better: Literal["higher", "lower"] = "higher"

    @property
    def bounds(self) -> "ScaleBounds | None":
        """The least and the greatest number of the scale; None for a scale of words."""
        numbers = [
            rating.value.floatValue
            for rating in self.ratingScale
            if rating.value.floatValue is not None
        ]
        return ScaleBounds(min(numbers), max(numbers)) if numbers else None

    def definition(self) -> dict[str, Any]:
        """`customMetricDefinition` of the request."""
        return {k: v for k, v in msgspec.to_builtins(self).items() if k != "better"}


class ScaleBounds(NamedTuple):
    """Between which numbers a metric's results lie."""

    low: float
    high: float


def packaged_metric(name: str) -> Any:  # noqa: ANN401 - YAML as it was read
    """The document of `recipes/metrics/<name>.yaml`; raises RecipeError with those there are."""
    names = sorted(path.stem for path in METRICS_FOLDER.glob("*.yaml"))
    if name not in names:
        raise RecipeError(
            f"metric {name!r}: there is no recipes/metrics/{name}.yaml; there are "
            f"{', '.join(names)}{did_you_mean(name, names)}"
        )
    return ryaml.loads((METRICS_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def with_metrics_by_name(document: Any) -> Any:  # noqa: ANN401 - YAML as it was read
    """The recipe's document with its custom metrics as a list of their definitions.

    A metric named is filled in from `recipes/metrics/`; a definition may be wrapped as AWS shows
    it, and one alone needs no list.
    """
    judge = document.get("judge") if isinstance(document, dict) else None
    judge = judge if isinstance(judge, dict) else {}
    serverless = judge.get("serverless")
    holders = (
        judge.get("bedrock"),
        serverless.get("llmaj") if isinstance(serverless, dict) else None,
    )
    for holder in holders:
        if not isinstance(holder, dict):
            continue
        given = holder.get("custom_metrics")
        metrics = [given] if isinstance(given, dict) else given
        if isinstance(metrics, list):
            holder["custom_metrics"] = [
                packaged_metric(metric) if isinstance(metric, str) else _unwrapped(metric)
                for metric in metrics
            ]
    return document


def _unwrapped(metric: Any) -> Any:  # noqa: ANN401 - YAML as it was read
    if isinstance(metric, dict) and set(metric) == {_WRAPPER}:
        return metric[_WRAPPER]
    return metric


def metric_problems(builtin: Sequence[str], custom: Sequence[CustomMetric]) -> Iterator[str]:
    """The faults of the metrics that one job would measure, by their keys."""
    yield from _name_problems(builtin, [metric.name for metric in custom])
    for number, metric in enumerate(custom):
        for problem in custom_metric_problems(metric):
            yield f"custom_metrics[{number}].{problem}"


def custom_metric_problems(metric: CustomMetric) -> Iterator[str]:
    """Everything that Bedrock would refuse in a custom metric, and what is allowed."""
    limits = bedrock_evaluation().limits
    longest = limits.metric_name_characters
    if len(metric.name) > longest or not _NAME.fullmatch(metric.name):
        yield (
            f"name: found {metric.name!r}; letters, digits, '-', '_' and '.' are allowed, "
            f"at most {longest} characters"
        )
    if metric.name.removeprefix(BUILTIN) in bedrock_evaluation().metrics:
        yield f"name: {metric.name!r} is a built-in metric; choose another name"
    if not 1 <= len(metric.instructions) <= limits.instructions_characters:
        yield (
            f"instructions: found {len(metric.instructions):,} characters; "
            f"1 to {limits.instructions_characters:,} are allowed"
        )
    yield from _variable_problems(metric.instructions)
    yield from _scale_problems(metric.ratingScale, limits)


def _variable_problems(instructions: str) -> Iterator[str]:
    allowed = bedrock_evaluation().variables
    used = set(_VARIABLE.findall(instructions))
    if "prediction" not in used:
        yield "instructions: {{prediction}} is missing, so the judge would not see the answer"
    for name in sorted(used - set(allowed)):
        yield (
            f"instructions: found {{{{{name}}}}}; allowed: "
            f"{', '.join('{{' + variable + '}}' for variable in allowed)}"
            f"{did_you_mean(name, allowed)}"
        )


def _scale_problems(scale: Sequence[Rating], limits: Limits) -> Iterator[str]:
    if len(scale) > limits.ratings:
        yield f"ratingScale: found {len(scale)} ratings; at most {limits.ratings} are allowed"
    longest = limits.rating_definition_characters
    for number, rating in enumerate(scale):
        where = f"ratingScale[{number}]"
        if not 1 <= len(rating.definition) <= longest:
            yield (
                f"{where}.definition: found {len(rating.definition)} characters; "
                f"1 to {longest} are allowed"
            )
        if (rating.value.floatValue is None) == (rating.value.stringValue is None):
            yield f"{where}.value: exactly one of floatValue and stringValue is allowed"
    definitions = [rating.definition for rating in scale]
    for definition in dict.fromkeys(definitions):
        if definitions.count(definition) > 1:
            yield f"ratingScale: the definition {definition!r} appears more than once"
    if len({rating.value.floatValue is None for rating in scale}) > 1:
        yield "ratingScale: numbers and words are mixed; use floatValue for all or for none"


def _name_problems(builtin: Sequence[str], custom: Sequence[str]) -> Iterator[str]:
    evaluation = bedrock_evaluation()
    for name in builtin:
        if name not in evaluation.metrics:
            yield (
                f"metrics: found {name!r}; built in are {', '.join(evaluation.metrics)}"
                f"{did_you_mean(name, evaluation.metrics)}"
            )
    named = [*builtin, *custom]
    if not named:
        yield f"metrics: none named; built in are {', '.join(evaluation.metrics)}"
    for name in dict.fromkeys(named):
        if named.count(name) > 1:
            yield f"metrics: {name!r} stands {named.count(name)} times"
    limits = evaluation.limits
    if len(named) > limits.metrics_per_job:
        yield f"metrics: found {len(named)}; at most {limits.metrics_per_job} are allowed"
    if len(custom) > limits.custom_metrics_per_job:
        yield (
            f"custom_metrics: found {len(custom)}; "
            f"at most {limits.custom_metrics_per_job} are allowed"
        )


class BedrockJudge(Section, frozen=True, omit_defaults=True):
    """`judge.bedrock` of a recipe: which model judges which candidates, and by what.

    `price`: US dollars per million tokens, for an evaluator that the price list lacks.
    """

    evaluator: Text
    price: TokenPrice | None = None
    metrics: tuple[str, ...] = ()
    custom_metrics: tuple[CustomMetric, ...] = ()
    judged: tuple[Candidate, ...] = ("A", "B")
    prompts_per_job: Annotated[int, Meta(ge=1, le=1000)] = 1000

    @property
    def metric_names(self) -> tuple[str, ...]:
        """`metricNames` of the request: custom metrics must be named there too."""
        return (
            *(f"{BUILTIN}{name}" for name in self.metrics),
            *(metric.name for metric in self.custom_metrics),
        )


def bedrock_problems(judge: BedrockJudge) -> Iterator[str]:
    """Everything that Bedrock would refuse, and what is allowed."""
    if not judge.judged or len(set(judge.judged)) != len(judge.judged):
        yield f"judged: found {list(judge.judged)}; A, B or both are allowed"
    yield from metric_problems(judge.metrics, judge.custom_metrics)
