"""Two runs side by side, for the server on this machine."""

from collections.abc import Sequence
from pathlib import Path

from nova_judge.errors import NovaJudgeError
from nova_judge.findings.checkpoint_comparison import (
    Comparison,
    compare,
    require_same_judge,
    rows_of_run,
)
from nova_judge.findings.saved_report import SavedReport
from nova_judge.pairs.criteria import default_groups
from nova_judge.report.index import place_of
from nova_judge.report.page import asset, environment


def render_compare(reports: Sequence[SavedReport], folder: Path) -> str:
    """The page of two runs, the older first; where they cannot be compared it says why."""
    first, other = sorted(reports, key=lambda report: report.metrics.created)
    compared, refused = None, ""
    try:
        compared = _compared(first, other)
    except NovaJudgeError as error:
        refused = str(error)
    ends = [max(abs(one.low), abs(one.high)) for one in compared.changes] if compared else []
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            first=place_of(first, folder),
            other=place_of(other, folder),
            names=[report.metrics.name("B") or "none" for report in (first, other)],
            compared=compared,
            refused=refused,
            reach=max(ends, default=1.0) or 1.0,
            style=asset("report.css"),
        )
    )


def _compared(first: SavedReport, other: SavedReport) -> Comparison:
    require_same_judge([first, other])
    groups = default_groups()
    rows = [rows_of_run(report, groups) for report in (first, other)]
    return compare(rows[0], rows[1:], first.metrics.statistics.level)[0]
