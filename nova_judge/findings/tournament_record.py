"""The section `tournament` of `metrics.json`: many candidates that were compared in pairs."""

import msgspec

from nova_judge.findings.bradley_terry import Leaderboard
from nova_judge.statistics.win_rate import Interval


class PairResult(msgspec.Struct, frozen=True, kw_only=True):
    """One pair of candidates by their names; the win rate is that of `b`.

    `p_holm` is the p-value of no difference after Holm's correction over all pairs; `better` is who
    wins where it decides. `report` is the folder of the pair's own report, beside this one.
    """

    a: str
    b: str
    rows: int
    win_rate: Interval | None
    p_holm: float | None
    better: str | None
    report: str


class CriterionMean(msgspec.Struct, frozen=True):
    """Mean score of one candidate's answers by one criterion, in [0, 1], over `rows` judgments."""

    criterion: str
    candidate: str
    mean: float
    rows: int


class CandidateUse(msgspec.Struct, frozen=True, kw_only=True):
    """The model that answered as a candidate, what stood in for it, and what it read and wrote.

    `usd` is None where its tokens have no price, or where its endpoint is paid by the hour.
    """

    name: str
    model: str
    stand_in: str | None
    input_tokens: int
    output_tokens: int
    usd: float | None


class Tournament(msgspec.Struct, frozen=True, kw_only=True):
    """Findings over all pairs of a run of many candidates."""

    board: Leaderboard
    pairs: tuple[PairResult, ...]
    criteria: tuple[CriterionMean, ...]
    candidates: tuple[CandidateUse, ...]

    def rate(self, row: str, column: str) -> Interval | None:
        """Win rate of the row's candidate against the column's; None where these never met."""
        for pair in self.pairs:
            if pair.win_rate is not None and {pair.a, pair.b} == {row, column}:
                return pair.win_rate if pair.b == row else mirrored(pair.win_rate)
        return None


def mirrored(rate: Interval) -> Interval:
    """The same of the other candidate."""
    return Interval(1 - rate.estimate, 1 - rate.high, 1 - rate.low, rate.level, rate.method)
