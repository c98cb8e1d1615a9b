"""`report.md`: the result in a form that pastes into a pull request."""

import re
from collections.abc import Mapping
from typing import Any

from nova_judge.findings import sentences_rubric, sentences_stand_in
from nova_judge.findings.labels import one_line
from nova_judge.findings.sentences import headline, interval, percent, quoted_interval, rows, signed
from nova_judge.report.key_figures import table_rows
from nova_judge.report.rates import our_rates, reported_rates

Metrics = Mapping[str, Any]
_SPECIAL = re.compile(r"([\\`*_\[\]#|~$])")
_LEADING = re.compile(r"^(\d*)([-+=.):])")
_MOST_ERRORS = 10
_MOST_SLICES = 20
_MOST_CRITERIA = 12


def render_markdown(metrics: Metrics) -> str:
    """The report as GitHub Markdown; names and reasons are escaped, so that they stay text."""
    told = headline(metrics)
    parts = [
        f"## {escape(told.words, 200)}",
        escape(told.evidence, 2000),
        _candidates(metrics),
        _rates(metrics),
        _figures(metrics),
        _criteria(metrics),
        _slices(metrics),
        _errors(metrics),
        _notes(metrics),
        _footing(metrics),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str, limit: int = 300) -> str:
    """Any text as one line of Markdown that renders as itself: no markup, links or mentions."""
    plain = one_line(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;")
    text_only = _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", plain))
    return text_only.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")


def _candidates(metrics: Metrics) -> str:
    lines = ["| | candidate | answers from |", "|---|---|---|"]
    for side in "AB":
        told = metrics["candidates"].get(side)
        if told:
            source = escape(sentences_stand_in.answers_from(told))
            lines.append(f"| **{side}** | {escape(told['name'])} | {source} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def _rates(metrics: Metrics) -> str:
    lines = [f"| {name} | {interval(rate)} |" for name, rate in our_rates(metrics)]
    lines += [f"| {name} | {quoted_interval(rate)} |" for name, rate in reported_rates(metrics)]
    return "\n".join(["| win rate of B | |", "|---|---|", *lines]) if lines else ""


def _figures(metrics: Metrics) -> str:
    lines = [f"| {name.strip()} | {value} |" for name, value in table_rows(metrics)]
    body = "\n".join(["| | |", "|---|---|", *lines])
    return f"<details><summary>Figures</summary>\n\n{body}\n\n</details>"


def _criteria(metrics: Metrics) -> str:
    rubric = metrics.get("rubric") or {}
    lines = []
    for each in (rubric.get("criteria") or [])[:_MOST_CRITERIA]:
        means = f"{each['mean_A']:.3f} | {each['mean_B']:.3f}"
        margin = signed(each["mean_A"] - each["mean_B"])
        lines.append(f"| {escape(each['name'])} | {each['n']:,} | {means} | {margin} |")
    if not lines:
        return ""
    head = "| criterion | rows | mean A | mean B | margin A − B |"  # noqa: RUF001
    table = "\n".join([head, "|---|---|---|---|---|", *lines])
    return f"{table}\n\n{escape(sentences_rubric.criteria(metrics), 900)}"


def _slices(metrics: Metrics) -> str:
    lines = []
    for part in (metrics.get("slices") or [])[:_MOST_SLICES]:
        rate = part.get("win_rate")
        told = interval(rate) if rate else "too few rows"
        lines.append(f"| {escape(part['category'] or '(none)')} | {part['rows']:,} | {told} |")
    if not lines:
        return ""
    return "\n".join(["| category | rows | win rate of B |", "|---|---|---|", *lines])


def _errors(metrics: Metrics) -> str:
    lines = []
    for error in (metrics.get("errors") or [])[:_MOST_ERRORS]:
        count = "" if error["count"] is None else f"{error['count']:,}"
        lines.append(f"| {escape(error['stage'])} | {escape(error['reason'])} | {count} |")
    if not lines:
        return ""
    return "\n".join(["| left out in | why | rows |", "|---|---|---|", *lines])


def _notes(metrics: Metrics) -> str:
    notes = [*(metrics.get("notes") or []), *((metrics.get("job") or {}).get("notes") or [])]
    return "\n".join(f"- {escape(note, 600)}" for note in notes)


def _footing(metrics: Metrics) -> str:
    judge = metrics["judge"]
    stood = "".join(f" {escape(str(said), 600)}" for said in sentences_stand_in.stand_ins(metrics))
    positions = metrics.get("positions") or {}
    flips = positions.get("flips")
    flipped = (
        f" On {percent(flips)} of rows each order names the other candidate."
        if flips is not None
        else ""
    )
    return (
        f"{rows(metrics)}.{flipped}{stood} "
        f"{sentences_stand_in.role(metrics)} {escape(str(judge['model']))}; recipe "
        f"{escape(metrics['recipe']['name'])}; run `{metrics['run_id']}`, {metrics['created']}."
    )
