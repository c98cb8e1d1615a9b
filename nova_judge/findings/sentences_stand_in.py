"""What a report says where something stood in for a model: local mode's figures are not its own."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Metrics = Mapping[str, Any]


class StandIn(NamedTuple):
    """Who was stood in for, and by what."""

    title: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.title}: {self.sentence}"


def role(metrics: Metrics) -> str:
    """`Judge`, or `Model` where nobody judges and the model named is the one under test."""
    return "Model" if metrics["judge"].get("role") == "model" else "Judge"


def stand_ins(metrics: Metrics) -> list[StandIn]:
    """Every stand-in of a run; none on AWS."""
    return [*_judge(metrics), *_answers(metrics)]


def answers_from(candidate: Metrics) -> str:
    """Where a candidate's answers came from: the file, the candidate, or what stood in for it."""
    return str(candidate.get("stand_in") or candidate["source"])


def _judge(metrics: Metrics) -> list[StandIn]:
    judge, name = metrics["judge"], role(metrics)
    if not judge.get("stand_in"):
        return []
    what = "answers" if name == "Model" else "verdicts"
    said = f"{judge['stand_in']} stood in for {judge['model']}: these {what} are not that model's."
    return [StandIn(f"Stand-in {name.lower()}", said)]


def _answers(metrics: Metrics) -> list[StandIn]:
    sides: dict[str, list[str]] = {}
    for side, candidate in metrics["candidates"].items():
        if candidate.get("stand_in"):
            sides.setdefault(candidate["stand_in"], []).append(side)
    return [
        StandIn("Stand-in answers", f"{name} stood in for {' and '.join(held)}: AWS was not asked.")
        for name, held in sides.items()
    ]
