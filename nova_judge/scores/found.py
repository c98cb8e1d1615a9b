"""The scores that a run's jobs wrote, their reported figures, and what disagrees."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from nova_judge.scores.metric_score import Reported
from nova_judge.scores.table import AnswerScore, MetricFacts, ScoreTable

_FAR = 1e-6  # relative: reported and recomputed figures of equal rows agree far better


class JobScores(NamedTuple):
    """The scores of one job for its `subject`.

    `reported` are the figures that the container gave, `recomputed` those that only all rows
    together have; `stand_in` names what worked in place of the models.
    """

    subject: str
    scores: list[AnswerScore]
    reported: Mapping[str, Reported] = {}
    recomputed: Mapping[str, float] = {}
    notes: tuple[str, ...] = ()
    stand_in: str | None = None


class ScoresFound(NamedTuple):
    """Everything that was found: the figures, every score, and what has to be said about them."""

    table: ScoreTable
    scores: list[AnswerScore]
    notes: tuple[str, ...]
    stand_in: str | None


def collected_scores(facts: Mapping[str, MetricFacts], jobs: Iterable[JobScores]) -> ScoresFound:
    """The scores of all jobs together; `facts` says what is known of the metrics beforehand."""
    table = ScoreTable()
    table.facts = dict(facts)
    scores: list[AnswerScore] = []
    notes: dict[str, None] = {}
    stand_in = None
    for job in jobs:
        stand_in = stand_in or job.stand_in
        notes |= dict.fromkeys(job.notes)
        table.reported |= {(job.subject, name): figure for name, figure in job.reported.items()}
        table.recomputed |= {(job.subject, name): mean for name, mean in job.recomputed.items()}
        for score in job.scores:
            table.add(score)
        scores += job.scores
    notes |= dict.fromkeys(_disagreements(table))
    return ScoresFound(table, scores, tuple(notes), stand_in)


def _disagreements(table: ScoreTable) -> Iterator[str]:
    """Figures of the container that its own rows do not bear out."""
    for (subject, metric), reported in table.reported.items():
        mean = table.mean_of(subject, metric)
        if mean is None or _near(mean, reported.value):
            continue
        by_task = table.mean_of_categories(subject, metric)
        if by_task is not None and _near(by_task, reported.value):
            yield (
                f"{subject}: the container reports {metric} {reported.value:.4f}, where every "
                f"sub-task counts alike; {mean:.4f} is the mean of all rows"
            )
            continue
        yield (
            f"{subject}: the container reports {metric} {reported.value:.4f}, "
            f"its rows give {mean:.4f}"
        )


def _near(mean: float, reported: float) -> bool:
    return abs(mean - reported) <= _FAR * max(1.0, abs(mean))
