"""`report.html`: one file that needs no network; its policy lets only our own script run."""

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping
from importlib import resources
from itertools import islice
from typing import Any, NamedTuple

import jinja2

from nova_judge import __version__
from nova_judge.records import Rejected
from nova_judge.report import panels, sentences
from nova_judge.report.figure_table import table_rows
from nova_judge.report.job_table import job_table
from nova_judge.report.labels import one_line
from nova_judge.report.page_rows import PageRow, RowSample, pack
from nova_judge.report.rates import named_rates

SCRIPTS = ("rows.js", "start.js")
MOST_REJECTED = 200


class Asset(NamedTuple):
    """A style sheet or script in the page, and the hash by which the policy knows it."""

    text: str
    hash: str


def render_page(
    metrics: Mapping[str, Any], sample: RowSample, rejected: Iterable[Rejected] = ()
) -> str:
    """The page of a run; `sample` must have watched all rows."""
    rows = sample.rows()
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            metrics=metrics,
            headline=sentences.headline(metrics),
            rows_sentence=sentences.rows(metrics),
            style=asset("report.css"),
            script=asset(*SCRIPTS),
            rates=named_rates(metrics),
            figures=table_rows(metrics),
            outcomes=panels.OUTCOMES,
            rejected=list(islice(rejected, MOST_REJECTED)),
            scores=sentences.weighted_scores(metrics),
            position_sentence=sentences.positions(metrics) if metrics.get("positions") else "",
            job_table=job_table(metrics),
            sample_sentence=sentences.sample(len(rows), sample.seen),
            shown_rows=len(rows),
            packed_rows=_pack_rows(rows),
            version=__version__,
        )
    )


def _pack_rows(rows: list[PageRow]) -> str:
    return pack([row.fields for row in rows])


@functools.cache
def environment() -> jinja2.Environment:
    """Templates that escape every value; a missing one is an error, not an empty place."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nova_judge.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": sentences.percent,
        "p_value": sentences.p_value,
        "interval": sentences.interval,
        "one_line": one_line,
        "thousands": "{:,}".format,
        "ring": panels.ring,
        "gauge": panels.gauge,
    }
    return environment


@functools.cache
def asset(*names: str) -> Asset:
    """The named files as one text, with its hash for the policy."""
    folder = resources.files("nova_judge.report") / "templates"
    text = "\n".join((folder / name).read_text("utf-8") for name in names)
    digest = hashlib.sha256(text.encode()).digest()
    return Asset(text, f"'sha256-{base64.b64encode(digest).decode()}'")
