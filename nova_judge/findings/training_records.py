"""Judged rows as training data: preference pairs, answers to imitate, pairs from easy to hard.

Beside every record stands where it comes from. Every row that is left out is counted by its reason,
so that the sum closes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.reweighed import ScoredRow
from nova_judge.findings.training_forms import Format, Texts, records
from nova_judge.pairs.criteria import CriterionGroups, default_groups
from nova_judge.pairs.weighted_scores import WeightedScores, point_scores
from nova_judge.records import CANDIDATES, Candidate, JudgedAs, JudgedRow, Unscored, Verdict
from nova_judge.scores.table import AnswerScore
from nova_judge.statistics.outcomes import Reconciled, profile_of, reconcile

STAGES = 3


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters that select training data. Margins are absolute, scores and margins in [0, 1].

    `least` holds the least score on a group of criteria that an answer needs, by group. `weights`
    spells those that were chosen: then the weighted scores name the better answer, and not the
    verdicts.
    """

    min_margin: float = 0.0
    max_margin: float = 1.0
    min_score: float = 0.0
    least: Mapping[str, float] = field(default_factory=dict)
    groups: CriterionGroups = field(default_factory=default_groups)
    weights: str = ""

    @property
    def need_rubric(self) -> bool:
        """True if a row without weighted scores cannot pass."""
        asked = self.min_margin > 0 or self.max_margin < 1 or self.min_score > 0
        return asked or bool(self.least)


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Origin of a record: run, row, judge and verdicts, the same columns in every run.

    Scores are JSON texts, because a trainer's library takes the type of a column from its first
    rows, and criteria differ from row to row.
    """

    run_id: str
    id: str
    line: int
    category: str
    winner: Candidate
    winner_name: str
    judge: str
    judge_stand_in: str
    forward: str
    backward: str
    weights: str
    weighted_scores: str
    scores_chosen: str
    scores_rejected: str


class ScoreProvenance(msgspec.Struct, frozen=True, kw_only=True):
    """Origin of a record of a single scored answer."""

    run_id: str
    id: str
    row: int
    category: str
    subject: str
    metric: str
    score: float


class TrainingRecord(NamedTuple):
    """One record for a trainer, and where it comes from."""

    training: dict[str, Any]
    provenance: Provenance | ScoreProvenance


class _Selected(NamedTuple):
    judged: JudgedRow
    winner: Candidate
    scores: WeightedScores | None

    @property
    def margin(self) -> float:
        return abs(self.scores.margin) if self.scores else 0.0


class _LeftOutError(Exception):
    """A row that does not become a record; the text is the reason that is counted."""


def export(
    rows: Iterable[ScoredRow],
    form: Format,
    filters: Filters,
    run: Metrics,
    left_out: Counter[str],
    *,
    conversational: bool = False,
) -> Iterator[TrainingRecord]:
    """Records of the rows that both orders decided and the filters let through.

    `run` is for the provenance; `left_out` counts the rows that become no record, by reason. A
    curriculum goes from the widest margin, which is the easiest, to the narrowest, and is held.
    """
    selected = _selected(rows, form, filters, left_out)
    if form is Format.CURRICULUM:
        held = sorted(selected, key=lambda one: -one.margin)
        for rank, one in enumerate(held):
            for made in _records(one, form, filters, run, conversational=conversational):
                stage = 1 + rank * STAGES // len(held)
                yield made._replace(training={"stage": stage, **made.training})
        return
    for one in selected:
        yield from _records(one, form, filters, run, conversational=conversational)


def rows_for(form: Format, rows: Callable[[], Iterable[ScoredRow]]) -> Iterator[ScoredRow]:
    """The rows in the order of their records.

    Bedrock's records have `system` only where a row has one, and a trainer's library takes a file's
    fields from its first records: these rows go first.
    """
    if not form.turns_of_bedrock:
        yield from rows()
        return
    yield from (scored for scored in rows() if scored.judged.row.system)
    yield from (scored for scored in rows() if not scored.judged.row.system)


def _selected(
    rows: Iterable[ScoredRow], form: Format, filters: Filters, left_out: Counter[str]
) -> Iterator[_Selected]:
    for judged, scores in rows:
        try:
            winner = _leader(scores) if filters.weights else _winner(judged)
            kept = _filtered(judged, winner, filters, scores)
            if form is Format.CURRICULUM and kept is None:
                raise _LeftOutError("no weighted scores to order by")
            for side in CANDIDATES:
                if judged.row.response(side) is None:
                    raise _LeftOutError("the answer is not in the file")
            yield _Selected(judged, winner, kept)
        except _LeftOutError as reason:
            left_out[str(reason)] += 1


def _records(
    one: _Selected, form: Format, filters: Filters, run: Metrics, *, conversational: bool
) -> Iterator[TrainingRecord]:
    row, winner = one.judged.row, one.winner
    loser: Candidate = "B" if winner == "A" else "A"
    texts = Texts(row.question, row.system, row.response(winner), row.response(loser))
    for training in records(texts, form, conversational=conversational):
        yield TrainingRecord(training, _provenance(one, loser, filters, run))


def _winner(judged: JudgedRow) -> Candidate:
    together = reconcile(profile_of(judged.judgment))
    if together is Reconciled.A or together is Reconciled.B:
        return "A" if together is Reconciled.A else "B"
    if Verdict.BOTH_BAD in (judged.judgment.forward, judged.judgment.backward):
        raise _LeftOutError("both answers are bad")
    raise _LeftOutError(
        {
            Reconciled.TIE: "tie",
            Reconciled.INCONSISTENT: "the orders disagree",
            Reconciled.ERROR: "a verdict is missing",
        }[together]
    )


def _leader(scores: WeightedScores | None) -> Candidate:
    """The candidate ahead under other weights than the judge's."""
    if scores is None:
        raise _LeftOutError("no criterion with a weight")
    if scores.margin == 0:
        raise _LeftOutError("tie")
    return "A" if scores.margin > 0 else "B"


def _filtered(
    judged: JudgedRow, winner: Candidate, filters: Filters, scores: WeightedScores | None
) -> WeightedScores | None:
    if scores is None:
        if filters.need_rubric:
            raise _LeftOutError("no rubric to filter by")
        return None
    towards = scores.margin if winner == "A" else -scores.margin
    if towards < 0:
        raise _LeftOutError("the margin points against the verdict")
    if not filters.min_margin <= towards <= filters.max_margin:
        raise _LeftOutError("margin outside the limits")
    if (scores.A if winner == "A" else scores.B) < filters.min_score:
        raise _LeftOutError("score below the limit")
    points = point_scores(judged.judgment, winner, filters.groups) if filters.least else {}
    for group, least in filters.least.items():
        if group not in points:
            raise _LeftOutError(f"no criterion {group}")
        if points[group] < least:
            raise _LeftOutError(f"{group} below the limit")
    return scores


def _provenance(one: _Selected, loser: Candidate, filters: Filters, run: Metrics) -> Provenance:
    judged, winner = one.judged, one.winner
    scores = None if one.scores is None else one.scores._asdict()
    return Provenance(
        run_id=run.run_id,
        id=judged.row.id,
        line=judged.row.line,
        category=judged.row.category or "",
        winner=winner,
        winner_name=run.name(winner) or "",
        judge=run.judge.model or "",
        judge_stand_in=run.judge.stand_in or "",
        forward=_verdict(judged.judgment.forward),
        backward=_verdict(judged.judgment.backward),
        weights=filters.weights,
        weighted_scores=json.dumps(scores),
        scores_chosen=json.dumps(point_scores(judged.judgment, winner, filters.groups)),
        scores_rejected=json.dumps(point_scores(judged.judgment, loser, filters.groups)),
    )


def _verdict(together: JudgedAs) -> str:
    return "" if isinstance(together, Unscored) else together.value


def export_scores(
    scores: Iterable[AnswerScore], form: Format, metric: str, least: float, run: Metrics
) -> Iterator[TrainingRecord]:
    """Single answers that a metric scored: those with `least` or more, for KTO the others too.

    Raises ValueError for a form that needs two answers.
    """
    if form.needs_both:
        raise ValueError(f"{form} needs two answers to a prompt; this run scored single ones")
    for score in scores:
        if score.metric != metric or isinstance(score.result, str | Unscored) or not score.answer:
            continue
        good = score.result >= least
        if not (good or form is Format.KTO):
            continue
        texts = Texts(score.prompt, None, *((score.answer,) if good else (None, score.answer)))
        for training in records(texts, form, conversational=False):
            origin = ScoreProvenance(
                run_id=run.run_id,
                id=score.id,
                row=score.row,
                category=score.category or "",
                subject=score.subject,
                metric=metric,
                score=float(score.result),
            )
            yield TrainingRecord(training, origin)
