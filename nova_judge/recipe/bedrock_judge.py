"""`judge.bedrock` of a recipe: Amazon Bedrock's judge (LLM as a judge)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from nova_judge.recipe.asked_model import TokenPrice
from nova_judge.recipe.bedrock_metrics import BUILTIN, CustomMetric, metric_problems
from nova_judge.recipe.nova_block import Section, Text
from nova_judge.records import Candidate


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
