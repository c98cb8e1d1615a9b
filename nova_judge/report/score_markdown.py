"""The result of a scoring run as Markdown, for a pull request."""

from collections.abc import Mapping
from typing import Any

from nova_judge.findings import sentences, sentences_stand_in
from nova_judge.report.markdown import escape
from nova_judge.scores.headline import favours

Metrics = Mapping[str, Any]


def render_score_markdown(metrics: Metrics) -> str:
    """The result as GitHub Markdown, for a pull request."""
    told = sentences.headline(metrics)
    lines = [
        f"| {escape(f['subject'])} | {escape(f['metric'])} | {_number(f['estimate'])} | "
        f"{_ends(f)} | {f['rows']:,} | {f['unscored']:,} |"
        for f in metrics.get("scores", ())
    ]
    differences = [
        f"| {escape(d['metric'])} | {_number(d['estimate'], '+')} | {_ends(d, '+')} | "
        f"{favours(d) or 'not shown'} |"
        for d in metrics.get("differences", ())
    ]
    table = ["| of | metric | mean | interval | rows | unscored |", "|---|---|---|---|---|---|"]
    parts = [
        f"## {escape(told.words, 200)}",
        escape(told.evidence, 2000),
        "\n".join([*table, *lines]),
        "\n".join(
            ["| metric | difference | interval | better |", "|---|---|---|---|", *differences]
        )
        if differences
        else "",
        "\n".join(f"- {escape(note, 600)}" for note in metrics["notes"]),
        f"{sentences.rows(metrics)}.{_stand_in(metrics)} Run `{metrics['run_id']}`, recipe "
        f"{escape(metrics['recipe']['name'])}, {metrics['created']}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _stand_in(metrics: Metrics) -> str:
    """A figure of a stand-in must not be pasted anywhere as the model's."""
    return "".join(f" {escape(str(said), 600)}" for said in sentences_stand_in.stand_ins(metrics))


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"


def _ends(entry: Metrics, sign: str = "") -> str:
    if entry["low"] is None:
        return escape(str(entry["method"]))
    return f"{entry['low']:{sign}.3f} to {entry['high']:{sign}.3f}"
