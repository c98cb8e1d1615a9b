"""Sentences on the evidence itself: lost orders, prompts that repeat, people's labels."""

from typing import TypeAlias

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import p_value, percent, quoted_interval
from nova_judge.statistics.findings import Estimates
from nova_judge.text import count_of, one_line

MetricsOrEstimates: TypeAlias = Metrics | Estimates
"""The figures of a run, or of a file of judgments."""


def evidence(of: MetricsOrEstimates) -> list[str]:
    """Everything that limits what the judged rows can show; empty where nothing does."""
    return [sentence for sentence in (lost_orders(of), repeats(of), labels(of)) if sentence]


def lost_orders(of: MetricsOrEstimates) -> str:
    """State how many rows lack a verdict, and between which win rates that leaves the result."""
    lost = of.verdict.lost if of.verdict else None
    if lost is None:
        return ""
    rows = count_of(lost.one_order, "row has", "rows have")
    return (
        f"{rows} a verdict in one order only and {lost.neither:,} in none; "
        f"neither kind is evidence. Had every lost order named A, the win rate of B over all rows "
        f"would be {percent(lost.low)}, had every one named B, {percent(lost.high)}."
    )


def repeats(of: MetricsOrEstimates) -> str:
    """State how often prompts repeat, and what the rows are worth."""
    repeated = of.repeats
    if repeated is None:
        return ""
    return (
        f"{count_of(repeated.rows, 'row has', 'rows have')} "
        f"{count_of(repeated.prompts, 'prompt')}, {repeated.repeated:,} of them "
        f"more than once (up to {repeated.most_rows:,} times): interval and test count prompts. "
        f"The rows are worth {count_of(round(repeated.worth), 'row')} of different prompts."
    )


def labels(of: MetricsOrEstimates) -> str:
    """State what people's labels say by themselves, and whether the judge agrees beyond chance."""
    of_people = of.labels
    if of_people is None:
        return ""
    rate = f"By {count_of(of_people.labelled, 'label')} alone, the win rate of B is"
    sentence = f"{rate} {quoted_interval(of_people.win_rate)}: {of_people.word}."
    if of_people.p_chance is None:
        return sentence
    chance = f"exact one-sided test, {p_value(of_people.p_chance)}"
    return f"{sentence} Agreement of judge and labels by chance alone: {chance}."


def review(metrics: Metrics) -> list[str]:
    """State what people who labelled drawn rows found, and how far they and the judge agree."""
    found = metrics.review
    if found is None:
        return []
    names = ", ".join(f"{one_line(who.name, 40)} ({who.labelled:,})" for who in found.reviewers)
    sentences = [
        f"{found.labelled:,} of {found.drawn:,} drawn rows were labelled by {names or 'nobody'}."
    ]
    if metrics.win_rate_corrected is not None:
        corrected = quoted_interval(metrics.win_rate_corrected)
        sentences.append(f"Corrected by these labels, the win rate of B is {corrected}.")
    if found.agreement is not None:
        sentences.append(
            f"People say what both orders of the judge say on {quoted_interval(found.agreement)} "
            f"of all rows, labels weighted by one over the probability of their draw; they differ "
            f"on {found.differing_count:,} of the labelled rows."
        )
    if found.alpha is not None:
        sentences.append(
            f"Krippendorff's alpha of the reviewers is {found.alpha:.3f} on "
            f"{count_of(found.labelled_twice, 'row')} that several of them labelled."
        )
    return sentences
