"""The result of a scoring run as Markdown, for a pull request."""

from nova_judge.findings import sentences, sentences_stand_in
from nova_judge.findings.metrics_record import Metrics
from nova_judge.report.markdown import escape
from nova_judge.scores.metric_score import MetricEstimate, MetricScore


def render_score_markdown(metrics: Metrics) -> str:
    """The result as GitHub Markdown, for a pull request."""
    told = sentences.headline(metrics)
    scores = [
        f"| {escape(score.subject)} | {escape(score.metric)} | {_mean(score)} | "
        f"{_ends(score)} | {score.rows:,} | {score.unscored:,} |"
        for score in metrics.scores or ()
    ]
    differences = [
        f"| {escape(each.metric)} | {_number(each.estimate, '+')} | {_ends(each, '+')} | "
        f"{each.favours or 'not shown'} |"
        for each in metrics.differences or ()
    ]
    table = ["| of | metric | mean | interval | rows | unscored |", "|---|---|---|---|---|---|"]
    parts = [
        f"## {escape(told.words, 200)}",
        escape(told.evidence, 2000),
        "\n".join([*table, *scores]),
        "\n".join(
            ["| metric | difference | interval | better |", "|---|---|---|---|", *differences]
        )
        if differences
        else "",
        "\n".join(f"- {escape(note, 600)}" for note in metrics.notes),
        f"{sentences.rows(metrics)}.{_stand_in(metrics)} Run `{metrics.run_id}`, recipe "
        f"{escape(metrics.recipe.name)}, {metrics.created}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _stand_in(metrics: Metrics) -> str:
    """A figure of a stand-in must not be pasted anywhere as the model's."""
    return "".join(f" {escape(str(said), 600)}" for said in sentences_stand_in.stand_ins(metrics))


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
