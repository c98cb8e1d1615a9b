"""The gate: may this change be merged, on what the evaluation shows and no more?"""

import enum
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import msgspec

from nova_judge.errors import RequestError
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import headline, interval, one_order_alone, percent
from nova_judge.findings.sentences_stand_in import who_judged
from nova_judge.recipe.trigger import GateDemands
from nova_judge.scores.metric_score import MetricDifference, MetricScore
from nova_judge.statistics.contest import (
    Contest,
    contest_of_profiles,
    contest_of_tally,
    decision_of,
    win_rate_of,
)
from nova_judge.statistics.decision import Word
from nova_judge.statistics.outcomes import profiles_from_dict
from nova_judge.statistics.win_rate import Interval
from nova_judge.text import count_of

EVEN = 0.5


class GateOutcome(enum.IntEnum):
    """Outcome of the gate; the number is the exit code."""

    PASS = 0
    WORSE = 1
    INCONCLUSIVE = 2
    NOT_EVALUATED = 3

    @property
    def words(self) -> str:
        """The outcome as it is printed: `not evaluated`."""
        return self.name.lower().replace("_", " ")


class Condition(NamedTuple):
    """One condition of the gate, and why it holds or not."""

    outcome: GateOutcome
    reason: str


class GateCondition(msgspec.Struct, frozen=True):
    """One condition as it is printed: its outcome by name, and why."""

    outcome: str
    reason: str


class GateFinding(msgspec.Struct, frozen=True):
    """The gate's answer: `outcome` by name with its exit code, why, who judged, each condition."""

    outcome: str
    exit_code: int
    reason: str
    judged_by: str
    run_id: str
    conditions: tuple[GateCondition, ...]


def stated_gate(metrics: Metrics, rules: GateDemands) -> GateFinding:
    """The gate's answer with everything it rests on; raises as `judge_gate` does."""
    conditions = _findings(metrics, rules)
    together = _together(conditions)
    return GateFinding(
        outcome=together.outcome.words,
        exit_code=int(together.outcome),
        reason=together.reason,
        judged_by=who_judged(metrics),
        run_id=metrics.run_id,
        conditions=tuple(GateCondition(one.outcome.words, one.reason) for one in conditions),
    )


def judge_gate(metrics: Metrics, rules: GateDemands) -> Condition:
    """All conditions together: not evaluated before worse, worse before inconclusive, then pass.

    Raises RequestError when another level is asked of a run whose means have theirs already.
    """
    return _together(_findings(metrics, rules))


def _together(findings: Sequence[Condition]) -> Condition:
    for outcome in (GateOutcome.NOT_EVALUATED, GateOutcome.WORSE, GateOutcome.INCONCLUSIVE):
        reasons = [finding.reason for finding in findings if finding.outcome is outcome]
        if reasons:
            return Condition(outcome, "; ".join(reasons))
    return Condition(GateOutcome.PASS, "; ".join(finding.reason for finding in findings))


def _findings(metrics: Metrics, rules: GateDemands) -> Sequence[Condition]:
    if not metrics.completed:
        return [Condition(GateOutcome.NOT_EVALUATED, str(headline(metrics)))]
    if many := metrics.tournament:
        pairs = ", ".join(pair.report for pair in many.pairs)
        reason = f"the run compared {len(many.candidates)} candidates: name one of its pairs, which"
        return [Condition(GateOutcome.NOT_EVALUATED, f"{reason} are in its report folder: {pairs}")]
    if metrics.scores:
        _require_level(metrics.scores, rules.confidence)
        return [_errors(metrics, rules.max_errors), *_metrics(metrics, metrics.scores, rules)]
    return [
        _win_rate(metrics, rules),
        _errors(metrics, rules.max_errors),
        *(_criterion(metrics, name, rules) for name in rules.criteria),
    ]


def _win_rate(metrics: Metrics, rules: GateDemands) -> Condition:
    rate = metrics.win_rate
    if rate is None:
        reason = "the run has no win rate: no row was judged, or its kind compares no answers"
        return Condition(GateOutcome.NOT_EVALUATED, reason)
    if metrics.blocked_by:
        reason = f"the verdict is blocked: {'; '.join(metrics.blocked_by)}"
        return Condition(GateOutcome.INCONCLUSIVE, reason)
    settings, contest = metrics.statistics, saved_contest(metrics)
    level = rules.confidence or settings.level
    settings = msgspec.structs.replace(settings, level=level)
    if rules.min_win_rate != EVEN:  # the interval alone decides: it allows for every look
        level = settings.strict_level
    if level != rate.level:
        settings = msgspec.structs.replace(settings, level=level)
        at_level = win_rate_of(contest, settings)
        rate = at_level if isinstance(at_level, Interval) else rate
    least = rules.min_win_rate
    asked = f"win rate of B {interval(rate)} against at least {percent(least)}"
    if least == EVEN:
        return _by_verdict(decision_of(contest, settings), asked)
    lost = contest.lost
    if lost and lost.low < least <= lost.high:
        return Condition(GateOutcome.INCONCLUSIVE, f"{asked}: the lost orders allow both answers")
    return _compared(rate, least, asked)


def _by_verdict(word: Word, asked: str) -> Condition:
    """At one half the gate says what the verdict says."""
    if word is Word.B_BETTER:
        return Condition(GateOutcome.PASS, asked)
    if word is Word.A_BETTER:
        return Condition(GateOutcome.WORSE, asked)
    why = "the two are equivalent" if word is Word.EQUIVALENT else "the verdict is inconclusive"
    return Condition(GateOutcome.INCONCLUSIVE, f"{asked}: {why}")


def saved_contest(metrics: Metrics) -> Contest:
    """The contest of a saved run, from its counts."""
    if metrics.one_order and metrics.reconciled:
        return contest_of_tally(metrics.reconciled, metrics.clusters, metrics.basis)
    contest = contest_of_profiles(profiles_from_dict(metrics.profiles or {}))
    return contest._replace(clusters=metrics.clusters)


def _require_level(scores: Sequence[MetricScore], level: float | None) -> None:
    levels = {score.level for score in scores} - {None, level}
    if level is not None and levels:
        raise RequestError(
            f"--confidence {level:g}: the means of this run have their intervals at "
            f"{levels.pop():g}"
        )


def _errors(metrics: Metrics, most: float) -> Condition:
    asked = metrics.rows.input - metrics.rows.not_judged
    one_order = profiles_from_dict(metrics.profiles).one_order if metrics.profiles else 0
    lost = asked - (metrics.rows.judged or 0) + one_order
    share = lost / asked if asked else 1.0
    reason = f"{lost:,} of {count_of(asked, 'row')} without a verdict ({percent(share)})"
    if metrics.reweighed:
        reason = f"{reason} under the weights {metrics.reweighed}"
    if one_order:
        reason = f"{reason}, {one_order:,} of them in one order only"
    if share > most:
        return Condition(GateOutcome.NOT_EVALUATED, f"{reason}, more than {percent(most)}")
    return Condition(GateOutcome.PASS, reason)


def _criterion(metrics: Metrics, name: str, rules: GateDemands) -> Condition:
    criteria = metrics.rubric.criteria if metrics.rubric else ()
    by_name = {criterion.name: criterion for criterion in criteria}
    if name not in by_name:
        there = ", ".join(sorted(by_name)) or "none"
        return Condition(GateOutcome.NOT_EVALUATED, f"no criterion {name!r}; there are: {there}")
    margin = by_name[name].margin
    if margin is None:
        reason = f"criterion {name!r} was scored in too few rows"
        return Condition(GateOutcome.NOT_EVALUATED, reason)
    if silent := one_order_alone(metrics):
        return Condition(GateOutcome.INCONCLUSIVE, f"{name}: {silent.rstrip('.')}")
    least = rules.criteria[name]
    of_b = _turned(margin.as_interval)
    ends = f"{100 * of_b.level:g} % interval {of_b.low:+.3f} to {of_b.high:+.3f}"
    rows = f"{by_name[name].n:,} of {count_of(metrics.rows.input, 'row')}"
    seen = f"{name} B less A in the order A, B {of_b.estimate:+.3f} ({ends}), on {rows}"
    return _compared(of_b, least, f"{seen} against at least {least:+g}", len(rules.criteria))


def _metrics(
    metrics: Metrics, scores: Sequence[MetricScore], rules: GateDemands
) -> Sequence[Condition]:
    unscored = [score for score in scores if score.estimate is None]
    entries: Sequence[MetricScore | MetricDifference] = metrics.differences or scores
    by_name = {entry.metric: entry for entry in [*unscored, *entries]}
    if not rules.criteria:
        reason = f"single answers were scored: name METRIC:LEAST; there are {', '.join(by_name)}"
        return [Condition(GateOutcome.NOT_EVALUATED, reason)]
    return [
        _metric(by_name[name], metrics.rows.input, rules)
        if name in by_name
        else Condition(
            GateOutcome.NOT_EVALUATED,
            f"no metric {name!r}; there are: {', '.join(sorted(by_name))}",
        )
        for name in rules.criteria
    ]


def _metric(entry: MetricScore | MetricDifference, rows: int, rules: GateDemands) -> Condition:
    name, measured = entry.metric, entry.interval
    if measured is None:
        return Condition(GateOutcome.NOT_EVALUATED, f"{name}: {entry.reason}")
    missing = 1 - entry.rows / rows if entry.rows and rows else 0.0
    if missing > rules.max_errors:
        reason = f"{name}: {percent(missing)} of the rows have no score, more than"
        return Condition(GateOutcome.NOT_EVALUATED, f"{reason} {percent(rules.max_errors)}")
    of, bound, falling = name, rules.criteria[name], entry.better == "lower"
    if isinstance(entry, MetricDifference):
        of = f"{name} {entry.second} less {entry.first}"
        bound = 0.0 - bound if falling else bound
    ends = f"{100 * measured.level:g} % interval {measured.low:.3f} to {measured.high:.3f}"
    asked = f"{of} {measured.estimate:.3f} ({ends}) against at {'most' if falling else 'least'}"
    held, least = (_turned(measured), -bound) if falling else (measured, bound)
    return _compared(held, least, f"{asked} {bound:g}", len(rules.criteria))


def _turned(rate: Interval) -> Interval:
    """The interval of the negative."""
    return msgspec.structs.replace(rate, estimate=-rate.estimate, low=-rate.high, high=-rate.low)


def _compared(rate: Interval, least: float, asked: str, criteria: int = 1) -> Condition:
    """Check that the whole interval is on one side of what is asked.

    All conditions must hold to pass, one is enough to be worse: the error rate of `worse` is shared
    out over the criteria asked for (Bonferroni).
    """
    if rate.low >= least:
        return Condition(GateOutcome.PASS, asked)
    if _shared_out(rate, criteria) < least:
        return Condition(GateOutcome.WORSE, asked)
    if rate.high < least:
        return Condition(
            GateOutcome.INCONCLUSIVE, f"{asked}: not beyond chance among {criteria} criteria"
        )
    return Condition(GateOutcome.INCONCLUSIVE, f"{asked}: the interval holds both answers")


def _shared_out(rate: Interval, criteria: int) -> float:
    """The interval's upper end at the stricter level that so many criteria need together.

    From the end at the interval's own level, as normal quantiles grow.
    """
    if criteria == 1:
        return rate.high
    alpha = 1.0 - rate.level
    widened, one = (NormalDist().inv_cdf(1.0 - alpha / (2.0 * k)) for k in (criteria, 1))
    return rate.estimate + (rate.high - rate.estimate) * widened / one
