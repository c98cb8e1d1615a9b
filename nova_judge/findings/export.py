"""Judged rows as training data: preference pairs, answers to imitate, pairs from easy to hard.

Every record says where it comes from. Every row that is left out is counted by its reason, so that
the sum closes.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from nova_judge.findings.metrics_record import Metrics
from nova_judge.pairs.criteria import CriterionGroups, default_groups
from nova_judge.pairs.weighted_scores import WeightedScores, point_scores, recomputed_scores
from nova_judge.records import Candidate, JudgedAs, JudgedRow, Unscored, Verdict
from nova_judge.statistics.outcomes import Reconciled, profile_of, reconcile

STAGES = 3


class Format(enum.StrEnum):
    """What the records are for."""

    DPO = "dpo"
    SFT = "sft"
    CURRICULUM = "curriculum"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows become training data. Margins are absolute, scores and margins in [0, 1].

    `least` holds the least score on a group of criteria that an answer needs, by group.
    """

    min_margin: float = 0.0
    max_margin: float = 1.0
    min_score: float = 0.0
    least: Mapping[str, float] = field(default_factory=dict)
    groups: CriterionGroups = field(default_factory=default_groups)

    @property
    def need_rubric(self) -> bool:
        """Whether a row without weighted scores cannot pass."""
        asked = self.min_margin > 0 or self.max_margin < 1 or self.min_score > 0
        return asked or bool(self.least)


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a record comes from: run, row, judge and verdicts; the margin is A - B."""

    run_id: str
    id: str
    line: int
    category: str | None
    winner: Candidate
    winner_name: str | None
    judge: str
    judge_stand_in: str | None
    forward: Verdict | None
    backward: Verdict | None
    weighted_score_A: float | None
    weighted_score_B: float | None
    margin: float | None


class PreferencePair(msgspec.Struct, frozen=True, kw_only=True):
    """A record of `dpo`, with the scores of both answers by group of criteria."""

    prompt: str
    chosen: str
    rejected: str
    scores_chosen: dict[str, float]
    scores_rejected: dict[str, float]
    provenance: Provenance


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A record of `sft`: the better answer."""

    prompt: str
    response: str
    scores: dict[str, float]
    provenance: Provenance


class StagedPair(msgspec.Struct, frozen=True, kw_only=True):
    """A record of `curriculum`; `stage` counts from 1, the widest margins."""

    stage: int
    prompt: str
    chosen: str
    rejected: str
    scores_chosen: dict[str, float]
    scores_rejected: dict[str, float]
    provenance: Provenance


class _LeftOutError(Exception):
    """A row that does not become a record; the text is the reason that is counted."""


def export(
    rows: Iterable[JudgedRow],
    form: Format,
    filters: Filters,
    run: Metrics,
    left_out: Counter[str],
) -> Iterator[PreferencePair | Answer | StagedPair]:
    """Records of the rows that both orders decided and the filters let through.

    `run` is for the provenance; `left_out` counts the rows that become no record, by reason.
    """
    if form is Format.CURRICULUM:
        yield from _curriculum(rows, filters, run, left_out)
        return
    record = _pair if form is Format.DPO else _answer
    for judged in rows:
        try:
            yield record(judged, filters, run)
        except _LeftOutError as reason:
            left_out[str(reason)] += 1


def _pair(judged: JudgedRow, filters: Filters, run: Metrics) -> PreferencePair:
    winner = _winner(judged)
    scores = _filtered(judged, winner, filters)
    loser: Candidate = "B" if winner == "A" else "A"
    return PreferencePair(
        prompt=judged.row.prompt,
        chosen=_response(judged, winner),
        rejected=_response(judged, loser),
        scores_chosen=point_scores(judged.judgment, winner, filters.groups),
        scores_rejected=point_scores(judged.judgment, loser, filters.groups),
        provenance=_provenance(judged, winner, scores, run),
    )


def _answer(judged: JudgedRow, filters: Filters, run: Metrics) -> Answer:
    winner = _winner(judged)
    scores = _filtered(judged, winner, filters)
    return Answer(
        prompt=judged.row.prompt,
        response=_response(judged, winner),
        scores=point_scores(judged.judgment, winner, filters.groups),
        provenance=_provenance(judged, winner, scores, run),
    )


def _curriculum(
    rows: Iterable[JudgedRow],
    filters: Filters,
    run: Metrics,
    left_out: Counter[str],
) -> Iterator[StagedPair]:
    """Pairs from the widest margin, which is the easiest, to the narrowest, in equal stages."""
    pairs: list[tuple[float, PreferencePair]] = []
    for judged in rows:
        try:
            pair = _pair(judged, filters, run)
            if pair.provenance.margin is None:
                raise _LeftOutError("no weighted scores to order by")
            pairs.append((abs(pair.provenance.margin), pair))
        except _LeftOutError as reason:
            left_out[str(reason)] += 1
    pairs.sort(key=lambda margin_and_pair: -margin_and_pair[0])
    for rank, (_, pair) in enumerate(pairs):
        stage = 1 + rank * STAGES // len(pairs)
        yield StagedPair(stage=stage, **msgspec.structs.asdict(pair))


def _winner(judged: JudgedRow) -> Candidate:
    said = reconcile(profile_of(judged.judgment))
    if said is Reconciled.A or said is Reconciled.B:
        winner: Literal["A", "B"] = "A" if said is Reconciled.A else "B"
        return winner
    if Verdict.BOTH_BAD in (judged.judgment.forward, judged.judgment.backward):
        raise _LeftOutError("both answers are bad")
    raise _LeftOutError(
        {
            Reconciled.TIE: "tie",
            Reconciled.INCONSISTENT: "the orders disagree",
            Reconciled.ERROR: "a verdict is missing",
        }[said]
    )


def _filtered(judged: JudgedRow, winner: Candidate, filters: Filters) -> WeightedScores | None:
    scores = recomputed_scores(judged.judgment)
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


def _response(judged: JudgedRow, side: Candidate) -> str:
    response = judged.row.response(side)
    if response is None:
        raise _LeftOutError("the answer is not in the file")
    return response


def _provenance(
    judged: JudgedRow, winner: Candidate, scores: WeightedScores | None, run: Metrics
) -> Provenance:
    return Provenance(
        run_id=run.run_id,
        id=judged.row.id,
        line=judged.row.line,
        category=judged.row.category,
        winner=winner,
        winner_name=run.name(winner),
        judge=run.judge.model,
        judge_stand_in=run.judge.stand_in,
        forward=_verdict(judged.judgment.forward),
        backward=_verdict(judged.judgment.backward),
        weighted_score_A=scores.A if scores else None,
        weighted_score_B=scores.B if scores else None,
        margin=scores.margin if scores else None,
    )


def _verdict(judged: JudgedAs) -> Verdict | None:
    return None if isinstance(judged, Unscored) else judged
