"""All estimates from the evidence of one run or one file, as one record."""

from collections.abc import Iterator

import msgspec
import numpy as np

from nova_judge.records import Scored, Unscored
from nova_judge.statistics.agreement import Agreement, agreement
from nova_judge.statistics.calibration import Calibration, calibrate
from nova_judge.statistics.clusters import ClusterCounts, Repeats, repeats
from nova_judge.statistics.contest import (
    contest_of,
    decision_of,
    decisive_rate_of,
    standard_error_of,
    win_rate_of,
)
from nova_judge.statistics.corrected_win_rate import CorrectedWinRate, corrected_win_rate
from nova_judge.statistics.evidence import Basis, Evidence
from nova_judge.statistics.label_findings import LabelFindings, label_findings
from nova_judge.statistics.length_control import (
    FORMAT,
    LENGTH,
    STYLE,
    ControlledRate,
    win_rate_at_equal,
)
from nova_judge.statistics.outcomes import OrderTally, ReconciledTally
from nova_judge.statistics.outside_labels import rate_by_outside_labels
from nova_judge.statistics.positions import Positions, positions_of
from nova_judge.statistics.slices import Slice, slices
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.verdict import VerdictStated, state_verdict
from nova_judge.statistics.win_rate import Interval

__all__ = ["corrected_by_labels", "find"]

FIXED_SIZE = (
    "judging may have stopped early: verdict, win rates and categories allow for it; what is "
    "corrected or controlled, agreement, calibration and criteria have intervals for a number of "
    "rows fixed beforehand"
)


MOST_CONTROLLED = 1_000_000
"""Rows of the regressions on length and structure, which hold two hundred bytes of each."""
SAMPLED = (
    f"win rates at equal length and structure rest on about {MOST_CONTROLLED:,} rows, drawn evenly "
    "by prompt; everything else on all rows"
)
AS_DRAWN = (
    "labels were drawn with different probabilities: agreement and calibration are of the labelled "
    "rows as drawn, not of all rows"
)


class BothBad(msgspec.Struct, frozen=True):
    """Rows in which the judge called both answers bad, by order."""

    forward: int
    backward: int


class Estimates(msgspec.Struct, frozen=True, kw_only=True):
    """Every estimate that the evidence allows; what it does not allow is None, `notes` say why."""

    profiles: dict[str, int]
    forward: OrderTally
    backward: OrderTally
    both_bad: BothBad
    reconciled: ReconciledTally
    win_rate: Interval | None
    win_rate_decisive: Interval | None
    win_rate_corrected: CorrectedWinRate | None
    win_rate_by_rates: Interval | None
    labels: LabelFindings | None
    standard_error: float | None
    repeats: Repeats | None
    clusters: ClusterCounts | None
    verdict: VerdictStated
    positions: Positions | None
    agreement: Agreement | None
    calibration: Calibration | None
    length_controlled: ControlledRate | None
    format_controlled: ControlledRate | None
    style_controlled: ControlledRate | None
    slices: tuple[Slice, ...]
    notes: tuple[str, ...]


def find(
    evidence: Evidence,
    settings: StatisticsSettings,
    basis: Basis = Basis.BOTH_ORDERS,
    styled: Evidence | None = None,
) -> Estimates:
    """Every estimate that the evidence allows; `styled`: its rows with lengths and markup.

    >>> from nova_judge.statistics.evidence import gather
    >>> find(gather([]), StatisticsSettings()).verdict.word.value
    'inconclusive'
    """
    both_orders = basis is Basis.BOTH_ORDERS
    counted = evidence if both_orders else evidence.forward_alone()
    level = settings.level
    contest = contest_of(evidence, basis)
    of_labels = label_findings(counted, decision_of(contest, settings), level)
    settings = _blocked(settings, of_labels)
    of_positions = _positions(evidence, basis)
    rates = settings.judge_rates
    by_rates = rate_by_outside_labels(contest, rates, level) if rates else None
    by_category = slices(evidence, settings, basis)
    notes = _Notes()
    drawn = (styled or evidence).sampled(MOST_CONTROLLED)
    drawn = drawn if both_orders else drawn.forward_alone()
    return Estimates(
        profiles=evidence.profiles.as_dict(),
        forward=evidence.profiles.forward,
        backward=evidence.profiles.backward,
        both_bad=BothBad(evidence.profiles.both_bad_forward, evidence.profiles.both_bad_backward),
        reconciled=evidence.profiles.reconciled,
        win_rate=notes.kept("win_rate", win_rate_of(contest, settings)),
        win_rate_decisive=notes.kept("win_rate_decisive", decisive_rate_of(contest, settings)),
        win_rate_corrected=notes.kept("win_rate_corrected", corrected_by_labels(counted, level)),
        win_rate_by_rates=notes.kept("win_rate_by_rates", by_rates) if by_rates else None,
        labels=of_labels,
        standard_error=standard_error_of(contest),
        repeats=repeats(contest.clusters) if contest.clusters else None,
        clusters=contest.clusters,
        verdict=state_verdict(contest, settings),
        positions=of_positions and notes.kept("positions", of_positions),
        agreement=notes.kept("agreement", agreement(counted, level, both_orders=both_orders)),
        calibration=notes.kept("calibration", calibrate(evidence, level)),
        length_controlled=notes.kept("length_controlled", win_rate_at_equal(drawn, LENGTH, level)),
        format_controlled=notes.kept("format_controlled", win_rate_at_equal(drawn, FORMAT, level)),
        style_controlled=notes.kept("style_controlled", win_rate_at_equal(drawn, STYLE, level)),
        slices=by_category.slices,
        notes=(*notes.reasons, *_limits(counted, settings, by_category.left_out)),
    )


def _positions(evidence: Evidence, basis: Basis) -> Positions | Unscored | None:
    if basis is Basis.REWEIGHED:
        return None
    if basis is not Basis.BOTH_ORDERS:
        return Unscored("one order was judged")
    return positions_of(evidence)


def _blocked(settings: StatisticsSettings, labels: LabelFindings | None) -> StatisticsSettings:
    """The settings, under which labels that contradict the judge block a verdict."""
    if labels is None or not labels.contradictions:
        return settings
    reasons = tuple(dict.fromkeys((*labels.contradictions, *settings.blocked_by)))
    return msgspec.structs.replace(settings, blocked_by=reasons)


def corrected_by_labels(evidence: Evidence, level: float = 0.95) -> CorrectedWinRate | Unscored:
    """The win rate corrected by the labels; by those with a probability alone where there are any.

    Labels that came otherwise do not change what a row had to be drawn for: it counts as not drawn.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> labelled = [EvidenceRow(Verdict.B, Verdict.B, label=Verdict.B)] * 15
    >>> labelled += [EvidenceRow(Verdict.B, Verdict.B, label=Verdict.A)] * 15
    >>> others = [EvidenceRow(Verdict.B, Verdict.B), EvidenceRow(Verdict.A, Verdict.A)] * 200
    >>> round(corrected_by_labels(gather(labelled + others)).estimate, 2)
    0.5
    """
    labels, probabilities = evidence.label_scores, evidence.probabilities
    drawn = ~np.isnan(labels) & ~np.isnan(probabilities)
    if not drawn.any():
        return corrected_win_rate(evidence.scores, labels, None, evidence.clusters, level)
    labels = np.where(drawn, labels, np.nan)
    return corrected_win_rate(evidence.scores, labels, probabilities, evidence.clusters, level)


_SPOKEN = {
    "win_rate": "win rate",
    "win_rate_decisive": "win rate of decided rows",
    "win_rate_corrected": "win rate corrected by labels",
    "win_rate_by_rates": "win rate corrected by the judge's rates",
    "length_controlled": "win rate at equal length",
    "format_controlled": "win rate at equal structure",
    "style_controlled": "win rate at equal length and structure",
}


class _Notes:
    """Collects why an estimate is missing."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def kept(self, name: str, estimate: Scored | Unscored) -> Scored | None:
        """The estimate; None, with a note of the reason, where there is none."""
        if isinstance(estimate, Unscored):
            self.reasons.append(f"{_SPOKEN.get(name, name)}: {estimate.reason}")
            return None
        return estimate


def _limits(
    evidence: Evidence, settings: StatisticsSettings, categories_left_out: int
) -> Iterator[str]:
    """State what else a reader of the estimates has to know."""
    if settings.anytime:
        yield FIXED_SIZE
    chances = evidence.probabilities[~np.isnan(evidence.label_scores)]
    if len(np.unique(chances[~np.isnan(chances)])) > 1:
        yield AS_DRAWN
    if evidence.rows > MOST_CONTROLLED:
        yield SAMPLED
    if categories_left_out:
        yield f"slices: {categories_left_out} smaller categories are not listed"
