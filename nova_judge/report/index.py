"""`index.html`: all runs of a folder, in series that may be compared, with their trend."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nova_judge.history import Refused, Series
from nova_judge.report.criteria import common_criteria, difference_of
from nova_judge.report.page import asset, environment
from nova_judge.report.sentences import headline
from nova_judge.saved_report import SavedReport


class Entry(NamedTuple):
    """One run as a line of the index; `link` is relative to the index page, or empty."""

    metrics: dict[str, Any]
    words: str
    link: str
    x: float


def render_index(series: Sequence[Series], folder: Path, refused: Sequence[Refused] = ()) -> str:
    """The index page of a folder; links go to the reports below it, by relative path."""
    return (
        environment()
        .get_template("index.html.j2")
        .render(
            folder=folder.name or str(folder),
            series=[_entries(one, folder) for one in series],
            refused=[(_entry(item.report, folder, 0.0), item.difference) for item in refused],
            style=asset("report.css"),
            criteria=lambda entries: common_criteria([entry.metrics for entry in entries]),
            criterion=difference_of,
        )
    )


def _entries(series: Series, folder: Path) -> list[Entry]:
    step = 100 / len(series.runs)
    return [
        _entry(report, folder, round((place + 0.5) * step, 3))
        for place, report in enumerate(series.runs)
    ]


def _entry(report: SavedReport, folder: Path, x: float) -> Entry:
    page = report.folder / "report.html"
    link = ""
    if page.is_file():
        link = "/".join(Path(os.path.relpath(page, folder)).parts)
    return Entry(report.metrics, headline(report.metrics).words, link, x)
