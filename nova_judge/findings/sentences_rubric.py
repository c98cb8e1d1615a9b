"""What a report says of a rubric: which criteria differ, what drives the lead, how firm it is.

The judge writes one rubric a row, in the order A, B: every sentence says so, and none names a
candidate where the judge favours a position or a control blocks the verdict.
"""

from collections.abc import Mapping
from typing import Any

from nova_judge.findings.sentences import one_order_alone, percent

Metrics = Mapping[str, Any]


def criteria(metrics: Metrics) -> str:
    """Which candidate is ahead on which criterion, after the correction for testing them all."""
    if said := one_order_alone(metrics):
        return said
    known = [each for each in metrics["rubric"]["criteria"] if each["margin"]]
    shown = [each for each in known if each["differs"]]
    on_a = [each["name"] for each in shown if each["margin"]["mean"] > 0]
    on_b = [each["name"] for each in shown if each["margin"]["mean"] < 0]
    level = len(known) - len(shown)
    told = [
        f"{side} is ahead on {_listed(names)}"
        for side, names in (("A", on_a), ("B", on_b))
        if names
    ]
    if level:
        told.append(f"{level} of {len(known)} criteria show no difference at this many rows")
    if not told:
        return "No criterion was scored in enough rows to compare."
    return f"In the order A, B: {'; '.join(told)}."


def driver(metrics: Metrics) -> str:
    """The criterion that adds most to the mean margin, in the margin's own direction."""
    found = metrics["rubric"].get("driver")
    if not found or one_order_alone(metrics):
        return ""
    side = "A" if found["contribution"] > 0 else "B"
    amount = f"{abs(found['contribution']):.3f}"
    most = f"most of the lead of {side} comes from {found['group']}"
    return f"In the order A, B, {most}, {amount} of the mean margin."


def firmness(metrics: Metrics) -> str:
    """How far the lead depends on the weights of the criteria."""
    found = metrics["rubric"].get("firmness")
    if not found or one_order_alone(metrics):
        return ""
    return f"In the order A, B: {_firmness(found)}"


def _firmness(found: Metrics) -> str:
    drawn = f"Of {found['weightings']:,} weightings drawn evenly,"
    shares = f"A leads under {percent(found['share_a'])} and B under {percent(found['share_b'])}."
    if not found["leader"]:
        return f"at the judge's mean weights neither leads. {drawn} {shares}"
    if not found["turns"]:
        firm = f"no move of one criterion's weight takes the lead from {found['leader']}."
        return f"{firm} {drawn} {shares}"
    turn = found["turns"][0]
    move = f"from {percent(turn['weight'], 0)} to {percent(turn['turns_at'], 0)}"
    first = f"the smallest move that takes the lead from {found['leader']}: {turn['group']} {move}"
    return f"{first} of the weight. {drawn} {shares}"


def warnings(rubric: Metrics) -> list[str]:
    """What is wrong with the rubrics as the judge wrote them; empty where all is well."""
    off, against = rubric["weights_not_one"], rubric["margin_against_verdict"]
    told = []
    if rubric["unreadable"]:
        told.append(f"{rubric['unreadable']:,} rubrics could not be read and are left out here.")
    if off["rows"]:
        ends = f"{off['least']:g} to {off['most']:g}"
        told.append(f"{off['rows']:,} rubrics have weights that sum to {ends}, not 1: normalised.")
    if rubric["reported_differs"]:
        count = f"{rubric['reported_differs']:,}"
        told.append(f"{count} rows report a score that their own criteria do not give.")
    if against["against"]:
        share = percent(against["against"] / against["rows"])
        told.append(
            f"In {against['against']:,} of {against['rows']:,} rows ({share}) the margin points "
            f"against the verdict; the verdict comes from the judge's label, not from the scores."
        )
    return told


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
