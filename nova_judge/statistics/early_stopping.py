"""Stopping early, and how many further rows would decide: both by the rule that will be applied."""

import math
from statistics import NormalDist

import msgspec

from nova_judge.statistics.clusters import repeats
from nova_judge.statistics.contest import (
    Contest,
    decision_of,
    p_value_of,
    standard_error_of,
    win_rate_of,
)
from nova_judge.statistics.decision import Word
from nova_judge.statistics.planning import (
    POWER,
    decisive_pairs,
    decisive_pairs_anytime,
    detectable_difference,
)
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from nova_judge.statistics.win_rate import Interval, wilson

__all__ = ["detectable_rate", "may_stop", "rows_needed"]

_RANGE_LEVEL = 0.5
_MOST_ROWS = 1_000_000


class RowsNeeded(msgspec.Struct, frozen=True):
    """Rows that decide at 80 % power if the shares stay as seen.

    `rows` are new rows to be evaluated alone; where judging may stop early they come on top of
    those there are. low, high: the same at the ends of the 50 % interval of the share of decided
    rows; `high` is None where that interval holds a draw.
    """

    rows: int
    low: int
    high: int | None


def may_stop(contest: Contest, settings: StatisticsSettings = DEFAULTS) -> str | None:
    """Reason why the rows judged so far are enough, if they are; may be asked after every job.

    By the decision of the verdict itself, with figures that hold after optional stopping. Such a
    run must be reported with `StatisticsSettings.anytime`.

    >>> from nova_judge.statistics.contest import Contest
    >>> from nova_judge.statistics.win_rate import ScoreCounts
    >>> contest = Contest(a=15, b=45, rows=60, scores=ScoreCounts((15, 0, 0, 0, 45)))
    >>> may_stop(contest)
    'B is ahead 45 to 15 on rows that both orders decide (anytime-valid p = 0.0059)'
    >>> may_stop(contest._replace(a=30, scores=ScoreCounts((30, 0, 0, 0, 45)))) is None
    True
    """
    looked = msgspec.structs.replace(settings, anytime=True)
    word, rate = decision_of(contest, looked), win_rate_of(contest, looked)
    if not isinstance(rate, Interval) or word is Word.INCONCLUSIVE:
        return None
    if word is Word.EQUIVALENT:
        return (
            f"the win rate lies within {settings.equivalence_margin:g} of one half "
            f"({rate.low:.3f} to {rate.high:.3f}, anytime-valid)"
        )
    ahead, behind = max(contest.a, contest.b), min(contest.a, contest.b)
    return (
        f"{word.value[0]} is ahead {ahead} to {behind} on rows that both orders decide "
        f"(anytime-valid p = {p_value_of(contest, looked):.2g})"
    )


def rows_needed(contest: Contest, settings: StatisticsSettings = DEFAULTS) -> RowsNeeded | None:
    """Number of rows that would decide; None where no number would, or more than a million.

    No number would at a draw, where test and win rate point to different sides, or where the lost
    orders could turn the win rate: more rows of the same kind bring more of the same.

    >>> from nova_judge.statistics.contest import Contest
    >>> from nova_judge.statistics.win_rate import ScoreCounts
    >>> contest = Contest(a=3, b=7, rows=10, scores=ScoreCounts((3, 0, 0, 0, 7)))
    >>> rows_needed(contest).rows
    51
    """
    if not contest.decided or not _would_agree(contest):
        return None
    rate = wilson(contest.b, contest.decided, _RANGE_LEVEL)
    assert isinstance(rate, Interval)  # noqa: S101 (there are decided rows)
    near, far = sorted((rate.low, rate.high), key=lambda share: abs(share - 0.5))
    likely = _rows_at(contest, rate.estimate, settings)
    if likely is None:
        return None
    return RowsNeeded(
        likely,
        min(likely, _rows_at(contest, far, settings) or likely),
        None if rate.low <= 0.5 <= rate.high else _rows_at(contest, near, settings),
    )


def detectable_rate(contest: Contest, settings: StatisticsSettings = DEFAULTS) -> float | None:
    """The distance from 1/2 of a win rate that a run like this finds at 80 % power; None if none.

    The larger of what the test on its decided rows and what the win rate's interval can find.

    >>> from nova_judge.statistics.contest import Contest
    >>> from nova_judge.statistics.win_rate import ScoreCounts
    >>> contest = Contest(a=90, b=110, rows=200, scores=ScoreCounts((90, 0, 0, 0, 110)))
    >>> round(detectable_rate(contest), 3)
    0.102
    """
    if not contest.decided or not contest.scores.rows:
        return None
    pairs = max(1, int(contest.decided * _worth(contest)))
    of_test = detectable_difference(pairs, level=settings.level, anytime=settings.anytime)
    error = standard_error_of(contest)
    if of_test is None or error is None:
        return None
    of_rate = _quantiles(settings.level) * error
    return max(of_test * contest.decided / contest.scores.rows, of_rate)


def _would_agree(contest: Contest) -> bool:
    """True if test, win rate and the bounds of the lost orders point to one side."""
    side, mean = contest.b - contest.a, contest.scores.mean - 0.5
    readings = [side, mean]
    if contest.lost is not None:
        readings += [contest.lost.low - 0.5, contest.lost.high - 0.5]
    return all(value > 0 for value in readings) or all(value < 0 for value in readings)


def _rows_at(contest: Contest, share: float, settings: StatisticsSettings) -> int | None:
    """Rows to be judged if this is the true share of B among decided rows."""
    fixed = decisive_pairs(share, settings.level)
    wanted = decisive_pairs_anytime(share, settings.level) if settings.anytime else fixed
    error = standard_error_of(contest)
    if fixed is None or wanted is None or not error:
        return None
    seen = abs(contest.b / contest.decided - 0.5)
    distance = abs(contest.scores.mean - 0.5) * abs(share - 0.5) / seen
    of_test = wanted * contest.rows / contest.decided / _worth(contest)
    of_rate = (_quantiles(settings.level) * error / distance) ** 2 * contest.rows * wanted / fixed
    rows = math.ceil(max(of_test, of_rate) - 1e-9)
    rows = max(1, rows - contest.rows) if settings.anytime else rows
    return rows if rows <= _MOST_ROWS else None


def _worth(contest: Contest) -> float:
    """Worth of a row, in rows of different prompts."""
    return repeats(contest.clusters).worth / contest.clusters.rows if contest.clusters else 1.0


def _quantiles(level: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf((1.0 + level) / 2.0) + normal.inv_cdf(POWER)
