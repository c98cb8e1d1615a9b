"""Sentences that stand before the figures: what stood in for a model, and chosen weights."""

from typing import NamedTuple

from nova_judge.findings.metrics_record import Metrics
from nova_judge.statistics.evidence import Basis


class Caveat(NamedTuple):
    """A caveat: what it concerns in two words, and what it means for the figures."""

    title: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.title}: {self.sentence}"


def role(metrics: Metrics) -> str:
    """`Judge`, or `Model` where nobody judges and the model named is the one under test."""
    return "Model" if metrics.judge.role == "model" else "Judge"


def caveats(metrics: Metrics) -> list[Caveat]:
    """Everything that a reader has to know before the figures: other weights, and stand-ins."""
    return [*_weights(metrics), *_one_order(metrics), *stand_ins(metrics)]


def _one_order(metrics: Metrics) -> list[Caveat]:
    if metrics.basis is not Basis.ONE_ORDER:
        return []
    sentence = (
        "The job showed each pair once, A first: a preference of the judge for the answer shown "
        "first counts as one for A, and nothing in these rows can tell the two apart."
    )
    return [Caveat("One order", sentence)]


def _weights(metrics: Metrics) -> list[Caveat]:
    if metrics.reweighed is None:
        return []
    sentence = (
        f"{metrics.reweighed} in place of the judge's weights: verdict, win rates and categories "
        "are those of the rubrics, which are of the order A, B alone; positions and criteria are "
        "the judge's own, and the test allows for having tried many weights."
    )
    return [Caveat("Reweighed", sentence)]


def stand_ins(metrics: Metrics) -> list[Caveat]:
    """Every stand-in of a run; none on AWS."""
    return [*_judge(metrics), *_answers(metrics)]


def _judge(metrics: Metrics) -> list[Caveat]:
    judge, name = metrics.judge, role(metrics)
    if not judge.stand_in:
        return []
    what = "answers" if name == "Model" else "verdicts"
    sentence = f"{judge.stand_in} stood in for {judge.model}: these {what} are not that model's."
    return [Caveat(f"Stand-in {name.lower()}", sentence)]


def _answers(metrics: Metrics) -> list[Caveat]:
    sides: dict[str, list[str]] = {}
    many = metrics.tournament.candidates if metrics.tournament else ()
    answered = [(side, candidate.stand_in) for side, candidate in metrics.candidates.items()]
    for side, stand_in in [*answered, *((use.name, use.stand_in) for use in many)]:
        if stand_in:
            sides.setdefault(stand_in, []).append(side)
    return [
        Caveat("Stand-in answers", f"{name} stood in for {' and '.join(held)}: AWS was not asked.")
        for name, held in sides.items()
    ]


def who_judged(metrics: Metrics) -> str:
    """Name who judged, or the model under test, and what stood in for anybody."""
    named = f"{role(metrics)}: {metrics.judge.model}."
    return " ".join([named, *(str(one) for one in caveats(metrics))])
