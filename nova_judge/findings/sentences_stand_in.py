"""Sentences of a report where something stood in for a model: its figures are not the model's."""

from typing import NamedTuple

from nova_judge.findings.metrics_record import Metrics


class StandIn(NamedTuple):
    """Stand-in: the model that it replaced, and its own name."""

    title: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.title}: {self.sentence}"


def role(metrics: Metrics) -> str:
    """`Judge`, or `Model` where nobody judges and the model named is the one under test."""
    return "Model" if metrics.judge.role == "model" else "Judge"


def stand_ins(metrics: Metrics) -> list[StandIn]:
    """Every stand-in of a run; none on AWS."""
    return [*_judge(metrics), *_answers(metrics)]


def _judge(metrics: Metrics) -> list[StandIn]:
    judge, name = metrics.judge, role(metrics)
    if not judge.stand_in:
        return []
    what = "answers" if name == "Model" else "verdicts"
    sentence = f"{judge.stand_in} stood in for {judge.model}: these {what} are not that model's."
    return [StandIn(f"Stand-in {name.lower()}", sentence)]


def _answers(metrics: Metrics) -> list[StandIn]:
    sides: dict[str, list[str]] = {}
    for side, candidate in metrics.candidates.items():
        if candidate.stand_in:
            sides.setdefault(candidate.stand_in, []).append(side)
    return [
        StandIn("Stand-in answers", f"{name} stood in for {' and '.join(held)}: AWS was not asked.")
        for name, held in sides.items()
    ]
