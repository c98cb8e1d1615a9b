"""Find figures of a judge job that contradict its rows, its counts, or each other.

The only list of it: a report prints it as the job's notes, and `nova-judge audit` prints it too.
"""

import enum
import math
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
import numpy as np

from nova_judge.records import JobMetrics
from nova_judge.statistics.arrays import Floats
from nova_judge.statistics.outcomes import Outcome, ProfileCounts
from nova_judge.statistics.win_rate import Interval, wilson

LEVEL: Final = 0.95
COUNTS: Final = ("a_scores", "b_scores", "ties", "inference_error")
_LARGEST_COUNT = 10_000_000  # judgments: five times those of a million rows
_LARGEST_FIGURE = sys.float_info.max
_RATE_TOLERANCE = 0.005
_INTERVAL_TOLERANCE = 0.02  # of both ends together
_RESAMPLES = 20_000
_DRAWS = 0.015  # three standard errors of the 2.5th percentile's place among 1,000 resamples
_EXACT = 1e-9


class FindingKind(enum.StrEnum):
    """Fault of a stated figure."""

    DIFFERS = "differs"
    UNSUPPORTED = "unsupported"


class Finding(msgspec.Struct, frozen=True):
    """One figure that does not hold: where it stands, what it says, and what the rows give."""

    kind: FindingKind
    where: str
    stated: str
    recomputed: str

    @property
    def note(self) -> str:
        """The finding as a sentence for a report, which is about one job."""
        figure = self.where.removeprefix("job: ")
        return f"{figure}: the job reports {self.stated}; recomputed: {self.recomputed}"


class Decisive(NamedTuple):
    """Judgments that name a candidate: wins of A, wins of B, and B's share with its interval."""

    a: int
    b: int
    share: Interval


def job_findings(job: JobMetrics, profiles: ProfileCounts | None) -> Iterator[Finding | None]:
    """Counts, score, win rate with interval, and standard errors; None for a figure that holds.

    Without `profiles`, the figures are checked against the job's own counts alone.
    """
    yield from _count_findings(job, profiles)
    yield from _rate_findings(job, profiles)
    if profiles is not None:
        yield from _error_findings(job, profiles)


def made_one_pass(job: JobMetrics, rows: int) -> bool:
    """True if the job's counts hold one judgment per row: it showed each pair in one order."""
    a, b, ties, errors = (figure(job, name) for name in COUNTS)
    if a is None or b is None or errors is None:
        return False
    return rows > 0 and a + b + (ties or 0.0) + errors == rows


def decisive(job: JobMetrics, profiles: ProfileCounts | None = None) -> Decisive | None:
    """The job's own decisive judgments, its rows' where it states none; None without any."""
    counts = _counts(job, profiles)
    a, b = counts.get("a_scores", 0.5), counts.get("b_scores", 0.5)
    if not (a.is_integer() and b.is_integer()):
        return None
    share = wilson(int(b), int(a + b), LEVEL)
    return Decisive(int(a), int(b), share) if isinstance(share, Interval) else None


def differing(where: str, stated: float, ours: float, tolerance: float) -> Finding | None:
    """A finding where two numbers are further apart than `tolerance`."""
    if abs(stated - ours) <= tolerance:
        return None
    return Finding(FindingKind.DIFFERS, where, f"{stated:.6g}", f"{ours:.6g}")


def figure(job: JobMetrics, name: str) -> float | None:
    """A finite number that the job states under this name."""
    value = job.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -_LARGEST_FIGURE <= value <= _LARGEST_FIGURE else None


def _counts(job: JobMetrics, profiles: ProfileCounts | None) -> dict[str, float]:
    """The usable counts by name: the job's own before those of its rows."""
    stated = {name: figure(job, name) for name in COUNTS}
    usable = {
        name: count for name, count in stated.items() if count is not None and _is_count(count)
    }
    return _recounted(job, profiles) | usable


def _recounted(job: JobMetrics, profiles: ProfileCounts | None) -> dict[str, float]:
    if profiles is None:
        return {}
    orders = [profiles.forward, profiles.backward]
    lost, errors = profiles.backward.errors, figure(job, "inference_error")
    if lost == profiles.rows and errors is not None and errors < lost:
        orders.pop()  # no second pass was made: its errors would have been counted
    sums = (sum(order.of(outcome) for order in orders) for outcome in Outcome)
    return dict(zip(COUNTS, map(float, sums), strict=True))


def _is_count(value: float) -> bool:
    return 0 <= value <= _LARGEST_COUNT


def _count_findings(job: JobMetrics, profiles: ProfileCounts | None) -> Iterator[Finding | None]:
    ours = _recounted(job, profiles)
    for name in COUNTS:
        stated = figure(job, name)
        if stated is not None and not _is_count(stated):
            yield Finding(
                FindingKind.DIFFERS, f"job: {name}", f"{stated:g}", "no count of judgments"
            )
        elif stated is not None and name in ours:
            yield differing(f"job: {name}", stated, ours[name], _EXACT)
    counts = _counts(job, profiles)
    stated, wins = figure(job, "score"), counts.get("b_scores")
    if stated is not None and wins is not None:
        yield _score_finding(stated, wins, counts)


def _score_finding(score: float, wins: float, counts: dict[str, float]) -> Finding | None:
    """AWS calls the score an aggregate of B's wins [?]: their number, or a share of judgments."""
    wholes = (sum(counts.values()), wins + counts.get("a_scores", 0.0))
    shares = [wins / whole for whole in wholes if whole]
    if any(abs(score - value) <= _RATE_TOLERANCE for value in (wins, *shares)):
        return None
    recomputed = f"{wins:g} wins of B" + "".join(f", {share:.3f}" for share in shares[:1])
    return Finding(FindingKind.DIFFERS, "job: score", f"{score:g}", recomputed)


def _rate_findings(job: JobMetrics, profiles: ProfileCounts | None) -> Iterator[Finding | None]:
    """The win rate and its interval against the counts, and against each other."""
    rate, low, high = (figure(job, name) for name in ("winrate", "lower_rate", "upper_rate"))
    ours, counts = decisive(job, profiles), _counts(job, profiles)
    if rate is not None and ours is not None:
        yield differing("job: winrate", rate, ours.share.estimate, _RATE_TOLERANCE)
    if low is not None and high is not None:
        if rate is not None and not low - _RATE_TOLERANCE <= rate <= high + _RATE_TOLERANCE:
            yield _interval_is_off(low, high, f"its own winrate {rate:.3f} lies outside")
        elif ours is not None:
            others = sum(counts.get(name, 0.0) for name in COUNTS[2:])
            yield _interval_finding(low, high, ours, int(others))
    error_rate, total = figure(job, "error_rate"), sum(counts.values())
    if error_rate is not None and len(counts) == len(COUNTS) and total:
        yield differing(
            "job: error_rate", error_rate, counts["inference_error"] / total, _RATE_TOLERANCE
        )


def _interval_finding(low: float, high: float, ours: Decisive, others: int) -> Finding | None:
    """Check that a usual 95 % interval of these judgments, taken as independent, is the stated one.

    A percentile bootstrap, over the decisive judgments or over all of them with resamples that one
    candidate sweeps left out, is what the container documents.
    """
    share = ours.share
    drawn = (_resampled(ours.a, ours.b), resampled_rates(ours.a, ours.b, others))
    if abs(low - share.low) + abs(high - share.high) <= _INTERVAL_TOLERANCE or any(
        _is_percentile(low, rates, 0.025) and _is_percentile(high, rates, 0.975) for rates in drawn
    ):
        return None
    boot_low, boot_high = np.percentile(drawn[0], [2.5, 97.5])
    return _interval_is_off(
        low,
        high,
        f"no usual 95 % interval: Wilson {share.low:.3f} to {share.high:.3f}, "
        f"percentile bootstrap {boot_low:.3f} to {boot_high:.3f}",
    )


def _interval_is_off(low: float, high: float, recomputed: str) -> Finding:
    stated = f"{low:.3f} to {high:.3f}"
    return Finding(FindingKind.DIFFERS, "job: lower_rate, upper_rate", stated, recomputed)


def _resampled(a: int, b: int) -> Floats:
    """Win rates of resamples, ascending."""
    wins = np.random.default_rng(0).binomial(a + b, b / (a + b), size=_RESAMPLES)
    return np.sort(wins / (a + b))


def resampled_rates(a: int, b: int, others: int, resamples: int = _RESAMPLES) -> Floats:
    """Win rates of resamples of all judgments in which either side wins, ascending."""
    total = a + b + others
    draws = np.random.default_rng(0).multinomial(
        total, [a / total, b / total, others / total], size=resamples
    )
    kept = draws[(draws[:, 0] > 0) & (draws[:, 1] > 0)]
    rates = kept[:, 1] / (kept[:, 0] + kept[:, 1]) if len(kept) else np.array([b / (a + b)])
    return np.sort(rates)


def _is_percentile(end: float, rates: Floats, share: float) -> bool:
    """True if a thousand resamples may well have this percentile at `end`, as it is printed.

    With few judgments the rates are far apart, so that draws alone move an end by a whole step.
    """
    printed = [end - _RATE_TOLERANCE, end + _RATE_TOLERANCE]
    below, up_to = np.searchsorted(rates, printed) / len(rates)
    return bool(below < up_to and below <= share + _DRAWS and up_to >= share - _DRAWS)


def _error_findings(job: JobMetrics, profiles: ProfileCounts) -> Iterator[Finding | None]:
    """A standard error that is none of: a share of judgments, a count, a mean count per row."""
    counts = _counts(job, profiles)
    trials = sum(counts.values())
    named = (*zip(COUNTS, Outcome, strict=True), ("score", Outcome.B))
    for name, outcome in named if trials else ():
        reported, count = figure(job, f"{name}_stderr"), counts[COUNTS[outcome]]
        if reported is None:
            continue
        of_share = math.sqrt(count / trials * (1 - count / trials) / trials)
        meanings = (of_share, of_share * trials, _row_mean_error(profiles, outcome))
        yield (
            None
            if any(_near(reported, value) for value in meanings)
            else Finding(
                FindingKind.DIFFERS,
                f"job: {name}_stderr",
                f"{reported:g}",
                f"{meanings[0]:.3f} as a share, {meanings[1]:.2f} as a count, "
                f"{meanings[2]:.3f} as a mean per row, of {count:g} in {trials:g} judgments",
            )
        )


def _row_mean_error(profiles: ProfileCounts, outcome: Outcome) -> float:
    """Standard error of the mean number of orders (0, 1 or 2) that gave a row this outcome."""
    counts = [(profile.count(outcome), rows) for profile, rows in profiles]
    if profiles.rows < 2:
        return 0.0
    mean = sum(number * rows for number, rows in counts) / profiles.rows
    squares = math.fsum(rows * (number - mean) ** 2 for number, rows in counts)
    return math.sqrt(squares / (profiles.rows - 1) / profiles.rows)


def _near(reported: float, expected: float) -> bool:
    return abs(reported - expected) <= max(0.005, 0.1 * expected)
