"""Every sentence a report says about a result, each checked against the figures it stands on.

A sentence that the figures do not carry is never written: `UnsupportedClaimError` names both.
"""

import re
from typing import Protocol

from nova_judge.errors import UnsupportedClaimError
from nova_judge.findings.metrics_record import Metrics, RunFailure
from nova_judge.records import Candidate, Headline
from nova_judge.statistics.decision import Estimated, Word
from nova_judge.statistics.verdict import VerdictStated
from nova_judge.text import count_of, one_line

MOST_SET_ASIDE = 0.01
"""The share of a file's lines that may be set aside before the verdict's sentence says so."""

_SIDE = re.compile(r"\b[AB]\b(?= is better| and B are| are equivalent)")


class Rate(Estimated, Protocol):
    """A share of [0, 1] with the ends of its interval and their level."""

    @property
    def level(self) -> float: ...


def percent(share: float, digits: int = 1) -> str:
    """0.632 → `63.2 %`."""
    return f"{share * 100:.{digits}f} %"


def signed(value: float) -> str:
    """-0.081 with a true minus sign, 0.081 with a plus."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def interval(rate: Rate) -> str:
    """A rate with its interval and level: `63.2 % (95 % interval 57.6 to 68.5 %)`."""
    _require(rate.low <= rate.estimate <= rate.high, "an interval must hold its estimate", rate)
    return quoted_interval(rate)


def quoted_interval(rate: Rate) -> str:
    """The same for a rate that somebody else computed: as given, whether or not it holds."""
    level = f"{rate.level * 100:g} % interval"
    return f"{percent(rate.estimate)} ({level} {rate.low * 100:.1f} to {percent(rate.high)})"


def short_interval(rate: Rate, gap: str = " ") -> str:
    """The same for a narrow column: `63.2 % [57.6, 68.5]`."""
    return f"{percent(rate.estimate)}{gap}[{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def p_value(value: float) -> str:
    """A p-value as the verdict writes it: `p = 0.034`, `p < .001`."""
    return "p < .001" if value < 0.001 else f"p = {value:.3f}"


def headline(metrics: Metrics) -> Headline:
    """The verdict with its evidence and what it leaves out, or why there is none."""
    if not metrics.completed:
        return failure(metrics)
    stated, left_out = _stated(metrics), set_aside(metrics.rows.rejected, metrics.rows.input)
    return Headline(stated.words, f"{stated.evidence} {left_out}") if left_out else stated


def named(words: str, metrics: Metrics) -> str:
    """`B is better` with the name of B, where it has one: `tuned (B) is better`."""
    shown = {
        side: f"{one_line(candidate.name, 60)} ({side})"
        for side, candidate in metrics.candidates.items()
        if candidate.name != f"response_{side}"
    }
    return _SIDE.sub(lambda found: shown.get(found[0], found[0]), words)  # type: ignore[call-overload]


def set_aside(count: int, lines: int) -> str:
    """How many lines of a file were set aside; empty up to a hundredth of them."""
    if count <= MOST_SET_ASIDE * lines:
        return ""
    return f"{count:,} of {count_of(lines, 'line was', 'lines were')} set aside and do not count."


def _stated(metrics: Metrics) -> Headline:
    if metrics.headline is not None:
        return metrics.headline
    verdict = metrics.verdict
    if verdict is None:
        return Headline("Completed", f"{rows(metrics)}. This kind of run compares no answers.")
    _check_verdict(verdict, metrics)
    return Headline(verdict.words, verdict.evidence[:1].upper() + verdict.evidence[1:])


def failure(metrics: Metrics) -> Headline:
    """State where and why a run failed."""
    failed = metrics.failure or RunFailure("", "")
    stage, reason = failed.stage or "an unnamed stage", failed.reason or "no reason given"
    return Headline(f"The run failed in {stage}", reason)


def rows(metrics: Metrics) -> str:
    """State how many of the rows were judged; refuses a sum that does not close."""
    count = metrics.rows
    if count.judged is None:
        return f"{count_of(count.input, 'row')} in the file, none judged"
    _require(count.input == count.accounted, "the rows must add up", count)
    left_out = {
        "rejected": count.rejected,
        "without an answer": count.generation_failed,
        "without a verdict": count.judge_failed,
        "left over when judging stopped": count.not_judged,
    }
    parts = ", ".join(f"{number:,} {what}" for what, number in left_out.items() if number)
    of = f"{count.judged:,} of {count_of(count.input, 'row')} judged"
    lost = metrics.verdict.lost if metrics.verdict else None
    if lost and lost.one_order:
        of = f"{of}, {lost.one_order:,} of them in one order only"
    return f"{of} ({parts})" if parts else of


def weighted_scores(metrics: Metrics) -> str | None:
    """The mean weighted scores of a rubric and their margin, A less B as AWS defines it."""
    rubric = metrics.rubric
    if rubric is None or rubric.weighted_score_A is None or rubric.weighted_score_B is None:
        return None
    a, b = rubric.weighted_score_A.mean, rubric.weighted_score_B.mean
    scores = f"weighted scores, A first: A {a:.3f}, B {b:.3f}; margin {signed(a - b)}"
    if one_order_alone(metrics):
        return scores
    side = rubric_lead(metrics)
    favours = f"favours {side}" if side else "no more than noise" if a != b else "level"
    return f"{scores} ({favours})"


def rubric_lead(metrics: Metrics) -> Candidate | None:
    """The candidate that the mean margin of the rubrics favours beyond noise.

    None where the interval holds 0, and where the verdict names the other candidate.
    """
    margin = metrics.rubric.score_margin if metrics.rubric else None
    if margin is None or margin.low <= 0.0 <= margin.high:
        return None
    side: Candidate = "A" if margin.mean > 0 else "B"
    word = metrics.verdict.word if metrics.verdict else Word.INCONCLUSIVE
    named = {Word.A_BETTER: "A", Word.B_BETTER: "B"}.get(word, side)
    return side if named == side else None


def lead(metrics: Metrics) -> str:
    """State who is ahead, by rows that both orders decide; nobody where a control blocks."""
    counts = metrics.reconciled
    if metrics.blocked_by:
        return "no lead, the verdict is blocked"
    if counts is None or counts.a == counts.b:
        return "level"
    ahead = "B" if counts.b > counts.a else "A"
    rows = f"{ahead} ahead by {count_of(abs(counts.a - counts.b), 'row')}"
    if metrics.verdict is not None and metrics.verdict.word is Word.INCONCLUSIVE:
        return f"{rows}, no more than chance allows"
    return rows


def one_order_alone(metrics: Metrics) -> str | None:
    """Explain why one order, A before B, speaks for no candidate; None where it may."""
    if metrics.blocked_by:
        return "The verdict is blocked, so that no criterion speaks for either candidate."
    favoured = _favoured(metrics)
    if favoured is None:
        return None
    return (
        f"The judge favours the answer shown {favoured}, and criteria are scored in the order A, B "
        f"alone: their differences speak for neither candidate."
    )


def positions(metrics: Metrics) -> str:
    """State what the order of showing did, with the test for more than chance."""
    of_order = metrics.positions
    if of_order is None or of_order.p_value is None:
        return "No row has a verdict in both orders, so that nothing can be said of positions."
    first, second = of_order.leaning_first, of_order.leaning_second
    tested = p_value(of_order.p_value)
    counts = (
        f"{count_of(first, 'row leans', 'rows lean')} to the answer shown first, {second:,} to "
        "the second"
    )
    favoured = _favoured(metrics)
    if favoured is None:
        return f"No position bias that this many rows could show ({counts}; {tested})."
    return f"The judge favours the answer shown {favoured} ({counts}; {tested})."


def sample(shown: int, seen: int) -> str:
    """State which of the rows the page holds, and where the others are."""
    if shown == seen:
        return f"All {count_of(seen, 'row that was', 'rows that were')} sent to the judge."
    _require(shown < seen, "a page cannot show more rows than were judged", (shown, seen))
    return (
        f"{shown:,} of {count_of(seen, 'row')}, drawn by a hash of run and line: some of each "
        "verdict, the others evenly. `nova-judge serve` shows all of them; they stand in "
        "judgments.parquet."
    )


def slices(metrics: Metrics) -> str:
    """State which categories differ, after the correction for looking at many of them."""
    tested = [part for part in metrics.slices if part.p_holm is not None]
    if not tested:
        return "No category has enough rows for a test; under 20 rows only counts are shown."
    differing = [part for part in tested if part.differs]
    if metrics.blocked_by:
        return "The verdict is blocked, so that no category speaks for either candidate."
    rule = "Holm's correction shares the error rate out over all of them"
    if not differing:
        return f"None of {len(tested)} tested categories shows a difference; {rule}."
    named = ", ".join(
        f"{part.category} ({'B' if part.decided.b > part.decided.a else 'A'} ahead)"
        for part in differing[:8]
    )
    return f"{len(differing)} of {len(tested)} tested categories differ: {named}; {rule}."


def _favoured(metrics: Metrics) -> str | None:
    of_order = metrics.positions
    return of_order.favoured(metrics.statistics.level) if of_order else None


def _check_verdict(verdict: VerdictStated, metrics: Metrics) -> None:
    rate, lead_of_b = metrics.win_rate, verdict.b - verdict.a
    if verdict.word is Word.INCONCLUSIVE:
        supported = True
    elif rate is None or verdict.blocked_by:
        supported = False
    elif verdict.word is Word.EQUIVALENT:
        margin = verdict.equivalence_margin
        supported = margin is not None and abs(rate.estimate - 0.5) <= margin
    else:
        side = 1 if verdict.word is Word.B_BETTER else -1
        tested = verdict.p_value < 1 - verdict.level
        supported = tested and lead_of_b * side > 0 and (rate.estimate - 0.5) * side > 0
    _require(supported, f"the figures do not carry `{verdict.word}`", (verdict, rate))


def _require(supported: bool, rule: str, figures: object) -> None:
    if not supported:
        raise UnsupportedClaimError(
            f"{rule}: {figures!r}. This is a fault of Nova Judge: report it."
        )
