"""Sentences of a report on a rubric: criteria that differ, what drives the lead, how firm it is.

The judge writes one rubric per row, in the order A, B: every sentence says so, and none names a
candidate where the judge favours a position or a control blocks the verdict.
"""

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.rubric_record import RubricFindings
from nova_judge.findings.sentences import one_order_alone, percent, rubric_lead
from nova_judge.pairs.firmness import Firmness
from nova_judge.pairs.score_use import ScoreShape
from nova_judge.text import count_of


def criteria(metrics: Metrics) -> str:
    """State who is ahead on which criterion, after the correction for testing them all."""
    if silent := one_order_alone(metrics):
        return silent
    rubric = metrics.rubric
    tested = [(each, each.margin) for each in (rubric.criteria if rubric else ()) if each.margin]
    differing = [(each.name, margin.mean) for each, margin in tested if each.differs]
    on_a = [name for name, mean in differing if mean > 0]
    on_b = [name for name, mean in differing if mean < 0]
    level = len(tested) - len(differing)
    parts = [
        f"{side} is ahead on {_listed(names)}"
        for side, names in (("A", on_a), ("B", on_b))
        if names
    ]
    if level:
        of = count_of(len(tested), "criterion shows", "criteria show")
        parts.append(f"{level} of {of} no difference at this many rows")
    if not parts:
        return "No criterion was scored in enough rows to compare."
    return f"In the order A, B: {'; '.join(parts)}."


def driver(metrics: Metrics) -> str:
    """The criterion that adds most to the mean margin, in the margin's own direction."""
    rubric, side = metrics.rubric, rubric_lead(metrics)
    if rubric is None or rubric.driver is None or side is None or one_order_alone(metrics):
        return ""
    leading, margin = rubric.driver, rubric.score_margin
    shown = {each.name for each in rubric.criteria if each.differs}
    if leading.group not in shown or margin is None:
        return ""
    share = leading.contribution / margin.mean
    if share > 1.0:
        return (
            f"In the order A, B, the lead of {side} comes from {leading.group}; the other criteria "
            "together pull the other way."
        )
    part = "most" if share > 0.5 else "the largest part"
    return (
        f"In the order A, B, {part} of the lead of {side} comes from {leading.group}: "
        f"{percent(share, 0)} of the mean margin."
    )


def firmness(metrics: Metrics) -> str:
    """State how far the lead depends on the weights of the criteria."""
    firm = metrics.rubric.firmness if metrics.rubric else None
    if not firm or one_order_alone(metrics):
        return ""
    if firm.leader is None or firm.leader != rubric_lead(metrics):
        return (
            "The mean margin of the weighted scores is no more than noise, or points against the "
            "verdict: no weighting speaks for either candidate."
        )
    return f"In the order A, B: {_firmness(firm)}"


def _firmness(firm: Firmness) -> str:
    drawn = f"Of {firm.weightings:,} weightings drawn evenly,"
    sides = f"A leads under {percent(firm.share_a)} and B under {percent(firm.share_b)}"
    shares = f"{sides} beyond noise, each judged by itself."
    if not firm.turns:
        no_move = f"no move of one criterion's weight takes the lead from {firm.leader}."
        return f"{no_move} {drawn} {shares}"
    turn = firm.turns[0]
    move = f"from {percent(turn.weight, 0)} to {percent(turn.turns_at, 0)}"
    first = f"the smallest move that takes the lead from {firm.leader}: {turn.group} {move}"
    return f"{first} of the weight. {drawn} {shares}"


def score_use(rubric: RubricFindings) -> str:
    """On how many criteria the scores 1 to 5 are bell-shaped, and what they are on the others."""
    shaped = [(each.name, each.shape) for each in rubric.criteria if each.shape]
    if not shaped:
        return ""
    bells = sum(shape is ScoreShape.BELL for _, shape in shaped)
    others = [
        f"{shape} on {_listed(names)}"
        for shape in ScoreShape
        if shape is not ScoreShape.BELL
        and (names := [name for name, its in shaped if its is shape])
    ]
    first = f"roughly bell-shaped on {bells} of {count_of(len(shaped), 'criterion', 'criteria')}"
    return f"The judge's scores 1 to 5 are {'; '.join([first, *others])}."


def warnings(rubric: RubricFindings) -> list[str]:
    """List the faults of the rubrics as the judge wrote them; empty without one."""
    off, against = rubric.weights_not_one, rubric.margin_against_verdict
    wrong = []
    if rubric.unreadable:
        one, several = "rubric could not be read and is", "rubrics could not be read and are"
        wrong.append(f"{count_of(rubric.unreadable, one, several)} left out here.")
    if off.rows:
        ends = f"{off.least:g} to {off.most:g}"
        rubrics = count_of(off.rows, "rubric has", "rubrics have")
        wrong.append(f"{rubrics} weights that sum to {ends}, not 1: normalised.")
    if rubric.reported_differs:
        one, several = "row reports a score that its", "rows report a score that their"
        wrong.append(f"{count_of(rubric.reported_differs, one, several)} own criteria do not give.")
    if against.against:
        share = percent(against.against / against.rows)
        wrong.append(
            f"In {against.against:,} of {count_of(against.rows, 'row')} ({share}) the margin "
            "points against the verdict; the verdict comes from the judge's label, not from the "
            "scores."
        )
    return wrong


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
