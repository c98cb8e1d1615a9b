"""The gate: may this change be merged, on what the evaluation shows and no more?"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, NamedTuple

import msgspec

from nova_judge.errors import RequestError
from nova_judge.findings.sentences import headline, interval, one_order_alone, percent
from nova_judge.plain import plain
from nova_judge.statistics.clusters import ClusterCounts
from nova_judge.statistics.contest import (
    Contest,
    contest_of_profiles,
    decision_of,
    win_rate_of,
)
from nova_judge.statistics.decision import Word
from nova_judge.statistics.outcomes import profiles_from_dict
from nova_judge.statistics.settings import settings_of

Metrics = Mapping[str, Any]
EVEN = 0.5


class Outcome(enum.IntEnum):
    """What the gate found; the number is the exit code."""

    PASS = 0
    WORSE = 1
    INCONCLUSIVE = 2
    NOT_EVALUATED = 3


@dataclass(frozen=True, slots=True)
class GateRules:
    """What is asked of B. Rates and differences are fractions.

    min_win_rate: at one half, the gate follows the verdict: B better passes, A better is worse. At
    any other rate, the whole interval must lie at or above it to pass, below it to be worse.
    max_errors: the share of rows that may be without a verdict in both orders, of the file's rows
    less those left over when judging stopped early.
    criteria: least mean difference B less A per criterion, on the scale from 0 to 1. Where single
    answers were scored, per metric: the least by which B, or the customised model, is better, in
    the metric's own units; with one model alone, the least mean (the most, where less is better).
    confidence: level of the win rate's interval, None for the run's own.
    """

    min_win_rate: float = 0.5
    max_errors: float = 0.05
    criteria: Mapping[str, float] = field(default_factory=dict)
    confidence: float | None = None


class Finding(NamedTuple):
    """One condition of the gate, and why it holds or not."""

    outcome: Outcome
    reason: str


def judge_gate(metrics: Metrics, rules: GateRules) -> Finding:
    """All conditions together: not evaluated before worse, worse before inconclusive, then pass.

    Raises RequestError when another level is asked of a run whose means have theirs already.
    """
    findings = _findings(metrics, rules)
    for outcome in (Outcome.NOT_EVALUATED, Outcome.WORSE, Outcome.INCONCLUSIVE):
        reasons = [finding.reason for finding in findings if finding.outcome is outcome]
        if reasons:
            return Finding(outcome, "; ".join(reasons))
    return Finding(Outcome.PASS, "; ".join(finding.reason for finding in findings))


def _findings(metrics: Metrics, rules: GateRules) -> Sequence[Finding]:
    if metrics["status"] != "completed":
        return [Finding(Outcome.NOT_EVALUATED, str(headline(metrics)))]
    if metrics.get("scores"):
        _require_level(metrics["scores"], rules.confidence)
        return [_errors(metrics, rules.max_errors), *_metrics(metrics, rules)]
    return [
        _win_rate(metrics, rules),
        _errors(metrics, rules.max_errors),
        *(_criterion(metrics, name, rules) for name in rules.criteria),
    ]


def _win_rate(metrics: Metrics, rules: GateRules) -> Finding:
    if not metrics.get("win_rate"):
        reason = "the run has no win rate: no row was judged, or its kind compares no answers"
        return Finding(Outcome.NOT_EVALUATED, reason)
    blocked = (metrics.get("verdict") or {}).get("blocked_by") or ()
    if blocked:
        return Finding(Outcome.INCONCLUSIVE, f"the verdict is blocked: {'; '.join(blocked)}")
    settings, contest = settings_of(metrics), saved_contest(metrics)
    rate = metrics["win_rate"]
    if rules.confidence is not None and rules.confidence != rate["level"]:
        settings = msgspec.structs.replace(settings, level=rules.confidence)
        rate = plain(win_rate_of(contest, settings))
    least = rules.min_win_rate
    told = f"win rate of B {interval(rate)} against at least {percent(least)}"
    if least == EVEN:
        return _by_verdict(decision_of(contest, settings), told)
    lost = contest.lost
    if lost and lost.low < least <= lost.high:
        return Finding(Outcome.INCONCLUSIVE, f"{told}: the lost orders allow both answers")
    return _compared(rate, least, told)


def _by_verdict(word: Word, told: str) -> Finding:
    """At one half the gate says what the verdict says."""
    if word is Word.B_BETTER:
        return Finding(Outcome.PASS, told)
    if word is Word.A_BETTER:
        return Finding(Outcome.WORSE, told)
    said = "the two are equivalent" if word is Word.EQUIVALENT else "the verdict is inconclusive"
    return Finding(Outcome.INCONCLUSIVE, f"{told}: {said}")


def saved_contest(metrics: Metrics) -> Contest:
    """The contest of a saved run, from the counts of its `metrics.json`."""
    contest = contest_of_profiles(profiles_from_dict(metrics["profiles"]))
    saved = metrics.get("clusters")
    return contest._replace(clusters=msgspec.convert(saved, ClusterCounts) if saved else None)


def _require_level(scores: Sequence[Metrics], level: float | None) -> None:
    levels = {entry["level"] for entry in scores} - {None, level}
    if level is not None and levels:
        raise RequestError(
            f"--confidence {level:g}: the means of this run have their intervals at "
            f"{levels.pop():g}"
        )


def _errors(metrics: Metrics, most: float) -> Finding:
    count = metrics["rows"]
    asked = count["input"] - count.get("not_judged", 0)
    one_order = profiles_from_dict(metrics["profiles"]).one_order if metrics.get("profiles") else 0
    lost = asked - count["judged"] + one_order
    share = lost / asked if asked else 1.0
    told = f"{lost:,} of {asked:,} rows without a verdict ({percent(share)})"
    if one_order:
        told = f"{told}, {one_order:,} of them in one order only"
    if share > most:
        return Finding(Outcome.NOT_EVALUATED, f"{told}, more than {percent(most)}")
    return Finding(Outcome.PASS, told)


def _criterion(metrics: Metrics, name: str, rules: GateRules) -> Finding:
    criteria = (metrics.get("rubric") or {}).get("criteria") or []
    known = {str(criterion["name"]): criterion for criterion in criteria}
    if name not in known:
        there = ", ".join(sorted(known)) or "none"
        return Finding(Outcome.NOT_EVALUATED, f"no criterion {name!r}; there are: {there}")
    margin = known[name]["margin"]
    if not margin:
        return Finding(Outcome.NOT_EVALUATED, f"criterion {name!r} was scored in too few rows")
    if said := one_order_alone(metrics):
        return Finding(Outcome.INCONCLUSIVE, f"{name}: {said.rstrip('.')}")
    least = rules.criteria[name]
    ahead = {
        "estimate": -margin["mean"],
        "low": -margin["high"],
        "high": -margin["low"],
        "level": margin["level"],
    }
    ends = f"{100 * margin['level']:g} % interval {ahead['low']:+.3f} to {ahead['high']:+.3f}"
    told = f"{name} B less A in the order A, B {-margin['mean']:+.3f} ({ends})"
    return _compared(ahead, least, f"{told} against at least {least:+g}", len(rules.criteria))


def _metrics(metrics: Metrics, rules: GateRules) -> Sequence[Finding]:
    entries = metrics["differences"] or metrics["scores"]
    unscored = [entry for entry in metrics["scores"] if entry["estimate"] is None]
    known = {str(entry["metric"]): entry for entry in [*unscored, *entries]}
    if not rules.criteria:
        told = f"single answers were scored: name METRIC:LEAST; there are {', '.join(known)}"
        return [Finding(Outcome.NOT_EVALUATED, told)]
    return [
        _metric(known[name], metrics["rows"]["input"], rules)
        if name in known
        else Finding(
            Outcome.NOT_EVALUATED, f"no metric {name!r}; there are: {', '.join(sorted(known))}"
        )
        for name in rules.criteria
    ]


def _metric(entry: Metrics, rows: int, rules: GateRules) -> Finding:
    name, difference = entry["metric"], "first" in entry
    least = rules.criteria[name]
    if entry["estimate"] is None:
        return Finding(Outcome.NOT_EVALUATED, f"{name}: {entry['method']}")
    missing = 1 - entry["rows"] / rows if entry["rows"] and rows else 0.0
    if missing > rules.max_errors:
        told = f"{name}: {percent(missing)} of the rows have no score, more than"
        return Finding(Outcome.NOT_EVALUATED, f"{told} {percent(rules.max_errors)}")
    of = f"{name} {entry['second']} less {entry['first']}" if difference else name
    ends = f"{100 * entry['level']:g} % interval {entry['low']:.3f} to {entry['high']:.3f}"
    falling = entry["better"] == "lower"
    bound = 0.0 - least if falling and difference else least
    told = f"{of} {entry['estimate']:.3f} ({ends}) against at {'most' if falling else 'least'}"
    held = entry
    if falling:
        turned = {"estimate": -entry["estimate"], "low": -entry["high"], "high": -entry["low"]}
        held = {**turned, "level": entry["level"]}
    bound_held = -bound if falling else bound
    return _compared(held, bound_held, f"{told} {bound:g}", len(rules.criteria))


def _compared(rate: Metrics, least: float, told: str, asked: int = 1) -> Finding:
    """Whether the whole interval is on one side of what is asked.

    All conditions must hold to pass, one is enough to be worse: the error rate of `worse` is shared
    out over the criteria asked for (Bonferroni).
    """
    if rate["low"] >= least:
        return Finding(Outcome.PASS, told)
    if _shared_out(rate, asked) < least:
        return Finding(Outcome.WORSE, told)
    if rate["high"] < least:
        return Finding(Outcome.INCONCLUSIVE, f"{told}: not beyond chance among {asked} criteria")
    return Finding(Outcome.INCONCLUSIVE, f"{told}: the interval holds both answers")


def _shared_out(rate: Metrics, asked: int) -> float:
    """The upper end at the level that `asked` intervals need together, as normal quantiles grow."""
    if asked == 1:
        return float(rate["high"])
    alpha = 1.0 - rate["level"]
    widened, one = (NormalDist().inv_cdf(1.0 - alpha / (2.0 * k)) for k in (asked, 1))
    return float(rate["estimate"] + (rate["high"] - rate["estimate"]) * widened / one)
