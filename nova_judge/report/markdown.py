"""`report.md`: the result in a form that pastes into a pull request."""

import re
from collections.abc import Sequence

from nova_judge.findings import sentences_rubric, sentences_stand_in
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import (
    headline,
    interval,
    percent,
    quoted_interval,
    rows,
    short_interval,
    signed,
)
from nova_judge.findings.sentences_evidence import evidence, review
from nova_judge.report.key_figures import table_rows
from nova_judge.report.rates import our_rates, reported_rates
from nova_judge.scores.metric_score import MetricEstimate, MetricScore
from nova_judge.statistics.win_rate import Interval
from nova_judge.text import count_of, one_line

__all__ = ["escape", "render_markdown"]

_SPECIAL = re.compile(r"([\\`*_\[\]#|~$])")
_LEADING = re.compile(r"^(\d*)([-+=.):])")
_MOST_ERRORS = 10
_MOST_SLICES = 20
_MOST_CRITERIA = 12


def render_markdown(metrics: Metrics) -> str:
    """The report as GitHub Markdown; names and reasons are escaped, so that they stay text.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> render_markdown(metrics_of_job({"a_scores": 10, "b_scores": 40})).splitlines()[0]
    '## B is better'
    """
    result = headline(metrics)
    parts = [
        f"## {escape(result.words, 200)}",
        escape(result.evidence, 2000),
        _candidates(metrics),
        _tournament(metrics),
        _rates(metrics),
        _scores(metrics),
        _differences(metrics),
        _figures(metrics),
        _criteria(metrics),
        _panel(metrics),
        _slices(metrics),
        "\n".join(f"- {escape(each, 600)}" for each in [*evidence(metrics), *review(metrics)]),
        _errors(metrics),
        _notes(metrics),
        _footing(metrics),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str, limit: int = 300) -> str:
    """Any text as one line of Markdown that renders as itself: no markup, links or mentions.

    >>> escape("<b>")
    '&lt;b>'
    """
    plain = one_line(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;")
    text_only = _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", plain))
    return text_only.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")


def _table(head: str, lines: Sequence[str]) -> str:
    """A table under its head; nothing where there are no lines."""
    rule = "|---" * (len(re.findall(r"(?<!\\)\|", head)) - 1) + "|"
    return "\n".join([head, rule, *lines]) if lines else ""


def _candidates(metrics: Metrics) -> str:
    lines = [
        f"| **{side}** | {escape(candidate.name)} | {escape(candidate.answers_from)} |"
        for side, candidate in sorted(metrics.candidates.items())
    ]
    return _table("| | candidate | answers from |", lines)


def _tournament(metrics: Metrics) -> str:
    """The board, and the win rate of each row's candidate against each column's."""
    found = metrics.tournament
    if found is None:
        return ""
    board = [
        f"| {one.rank or f'{one.best_rank} to {one.worst_rank}'} | {escape(one.name)} | "
        f"{signed(one.strength)} | {signed(one.low)} to {signed(one.high)} |"
        for one in found.board.standings
    ]
    names = [one.name for one in found.board.standings]
    matrix = [
        f"| {escape(name)} | " + " | ".join(_met(found.rate(name, other)) for other in names) + " |"
        for name in names
    ]
    against = f"| win rate of … against | {' | '.join(map(escape, names))} |"
    ranks = _table("| rank | candidate | strength | interval |", board)
    return f"{ranks}\n\n{_table(against, matrix)}"


def _met(rate: Interval | None) -> str:
    return short_interval(rate) if rate else ""


def _panel(metrics: Metrics) -> str:
    panel = metrics.panel
    if panel is None:
        return ""
    lines = [
        f"| {escape(judge.name)} | {escape(judge.model)} | {percent(judge.weight)} | "
        f"{judge.judged:,} | {_share(judge.win_rate)} | {_share(judge.accuracy)} | "
        f"{'not known' if judge.usd is None else f'${judge.usd:.2f}'} |"
        for judge in panel.judges
    ]
    head = "| judge | model | weight | judged | win rate of B | labels named | cost |"
    alpha = "" if panel.alpha is None else f"; Krippendorff's alpha {panel.alpha:.3f}"
    said = f"The panel's judges split on {count_of(panel.split, 'row')}{alpha}."
    return f"{_table(head, lines)}\n\n{said}"


def _share(of_rows: Interval | None) -> str:
    return "none" if of_rows is None else interval(of_rows)


def _rates(metrics: Metrics) -> str:
    lines = [f"| {name} | {interval(rate)} |" for name, rate in our_rates(metrics)]
    lines += [f"| {name} | {quoted_interval(rate)} |" for name, rate in reported_rates(metrics)]
    return _table("| win rate of B | |", lines)


def _scores(metrics: Metrics) -> str:
    lines = [
        f"| {escape(score.subject)} | {escape(score.metric)} | {_mean(score)} | "
        f"{_ends(score)} | {score.rows:,} | {score.unscored:,} |"
        for score in metrics.scores or ()
    ]
    return _table("| of | metric | mean | interval | rows | unscored |", lines)


def _differences(metrics: Metrics) -> str:
    lines = [
        f"| {escape(each.metric)} | {_number(each.estimate, '+')} | {_ends(each, '+')} | "
        f"{each.favours or 'not shown'} |"
        for each in metrics.differences or ()
    ]
    return _table("| metric | difference | interval | better |", lines)


def _mean(score: MetricScore) -> str:
    """The mean of the rows, or what is computed from all of them at once, as BLEU is."""
    if score.estimate is None and score.recomputed is not None:
        return f"{score.recomputed:.2f}"
    return _number(score.estimate)


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"


def _ends(entry: MetricEstimate, sign: str = "") -> str:
    if entry.low is None:
        return escape(entry.reason or "")
    return f"{entry.low:{sign}.3f} to {entry.high:{sign}.3f}"


def _figures(metrics: Metrics) -> str:
    lines = [f"| {name.strip()} | {value} |" for name, value in table_rows(metrics)]
    body = _table("| | |", lines)
    return f"<details><summary>Figures</summary>\n\n{body}\n\n</details>"


def _criteria(metrics: Metrics) -> str:
    lines = []
    for each in (metrics.rubric.criteria if metrics.rubric else ())[:_MOST_CRITERIA]:
        means = f"{each.mean_A:.3f} | {each.mean_B:.3f}"
        margin = signed(each.mean_A - each.mean_B)
        lines.append(f"| {escape(each.name)} | {each.n:,} | {means} | {margin} |")
    if not lines:
        return ""
    head = "| criterion | rows | mean A | mean B | margin A − B |"  # noqa: RUF001
    table = _table(head, lines)
    sentences = [sentences_rubric.criteria(metrics)]
    sentences += [sentences_rubric.score_use(metrics.rubric)] if metrics.rubric else []
    return "\n\n".join([table, *(escape(one, 900) for one in sentences if one)])


def _slices(metrics: Metrics) -> str:
    lines = []
    for part in metrics.slices[:_MOST_SLICES]:
        rate = interval(part.win_rate) if part.win_rate else "too few rows"
        lines.append(f"| {escape(part.category or '(none)')} | {part.rows:,} | {rate} |")
    return _table("| category | rows | win rate of B |", lines)


def _errors(metrics: Metrics) -> str:
    lines = []
    for error in metrics.errors[:_MOST_ERRORS]:
        count = "" if error.count is None else f"{error.count:,}"
        lines.append(f"| {escape(error.stage)} | {escape(error.reason)} | {count} |")
    return _table("| left out in | why | rows |", lines)


def _notes(metrics: Metrics) -> str:
    of_job = (metrics.job.notes if metrics.job else None) or ()
    return "\n".join(f"- {escape(note, 600)}" for note in (*metrics.notes, *of_job))


def _footing(metrics: Metrics) -> str:
    stood = "".join(f" {escape(str(each), 600)}" for each in sentences_stand_in.caveats(metrics))
    flips = metrics.positions.flips if metrics.positions else None
    flipped = (
        f" On {percent(flips)} of rows each order names the other candidate."
        if flips is not None
        else ""
    )
    words = f", asked with {escape(metrics.judge.prompt)}" if metrics.judge.prompt else ""
    return (
        f"{rows(metrics)}.{flipped}{stood} "
        f"{sentences_stand_in.role(metrics)} {escape(metrics.judge.model)}{words}; recipe "
        f"{escape(metrics.recipe.name)}; run `{metrics.run_id}`, {metrics.created}."
    )
