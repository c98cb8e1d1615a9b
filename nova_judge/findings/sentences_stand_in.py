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
    found = []
    if metrics.reweighed is not None:
        sentence = (
            f"{metrics.reweighed} in place of the judge's weights: verdict, win rates and "
            "categories are those of the rubrics, which are of the order A, B alone; positions and "
            "criteria are the judge's own, and the test allows for having tried many weights."
        )
        found.append(Caveat("Reweighed", sentence))
    if metrics.basis is Basis.ONE_ORDER:
        sentence = (
            "The job showed each pair once, A first: a preference of the judge for the answer "
            "shown first counts as one for A, and nothing in these rows can tell the two apart."
        )
        found.append(Caveat("One order", sentence))
    return [*found, *stand_ins(metrics)]


def stand_ins(metrics: Metrics) -> list[Caveat]:
    """Every stand-in of a run; none on AWS."""
    judge, name = metrics.judge, role(metrics)
    found = []
    if judge.stand_in:
        what = "answers" if name == "Model" else "verdicts"
        stood = f"{judge.stand_in} stood in for {judge.model}: these {what} are not that model's."
        found.append(Caveat(f"Stand-in {name.lower()}", stood))
    sides: dict[str, list[str]] = {}
    many = metrics.tournament.candidates if metrics.tournament else ()
    answered = [(side, candidate.stand_in) for side, candidate in metrics.candidates.items()]
    for side, stand_in in [*answered, *((use.name, use.stand_in) for use in many)]:
        if stand_in:
            sides.setdefault(stand_in, []).append(side)
    for stand_in, held in sides.items():
        stood = f"{stand_in} stood in for {' and '.join(held)}: AWS was not asked."
        found.append(Caveat("Stand-in answers", stood))
    return found


def who_judged(metrics: Metrics) -> str:
    """Name who judged, or the model under test, and what stood in for anybody."""
    named = f"{role(metrics)}: {metrics.judge.model}."
    return " ".join([named, *(str(one) for one in caveats(metrics))])
