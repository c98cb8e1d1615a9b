"""`report.html`: one file that needs no network; its policy lets only our own script run."""

import base64
import functools
import hashlib
from collections.abc import Iterable, Sequence
from importlib import resources
from itertools import islice
from typing import NamedTuple

import jinja2

from nova_judge.findings import sentences, sentences_evidence, sentences_rubric, sentences_stand_in
from nova_judge.findings.metrics_record import Metrics
from nova_judge.records import Rejected
from nova_judge.report import panels
from nova_judge.report.key_figures import job_table, named_rates, table_rows
from nova_judge.report.report_rows import AnswersShown, PairsShown, ReportRows
from nova_judge.text import count_of, one_line, shortened
from nova_judge.version import __version__

__all__ = ["render_page"]

ROW_SCRIPTS = ("text.js", "difference.js", "row_card.js", "rows.js")
SCRIPTS = (*ROW_SCRIPTS, "statistics.js", "weights.js", "start.js")
MOST_REJECTED = 200


class Asset(NamedTuple):
    """A style sheet or script in the page, and the hash by which the policy knows it."""

    text: str
    hash: str


def render_page(
    metrics: Metrics, evidence: ReportRows | None = None, rejected: Iterable[Rejected] = ()
) -> str:
    """The page of a run of any kind.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> render_page(metrics_of_job({"a_scores": 10, "b_scores": 40})).partition(">")[0]
    '<!doctype html'
    """
    shown = evidence.shown(metrics) if evidence else None
    pairs = shown if isinstance(shown, PairsShown) else None
    return render(
        "report.html.j2",
        scripts=SCRIPTS if pairs and (pairs.count or pairs.weights) else (),
        metrics=metrics,
        rejected=list(islice(rejected, MOST_REJECTED)),
        rows_file=evidence.file if evidence else None,
        pairs=pairs,
        answers=shown if isinstance(shown, AnswersShown) else None,
    )


def render(
    template: str,
    styles: Sequence[str] = ("report.css",),
    scripts: Sequence[str] = (),
    **shown: object,
) -> str:
    """A page of `shell.html.j2` with its style and script, and what else the template shows."""
    style, script = asset(*styles), asset(*scripts) if scripts else None
    return environment().get_template(template).render(style=style, script=script, **shown)


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
        "shortened": shortened,
        "named": sentences.named,
        "count_of": count_of,
        "thousands": "{:,}".format,
        "signed": sentences.signed,
        "share_of": panels.share_of_scale,
    }
    environment.globals |= {
        "sentences": sentences,
        "sentences_evidence": sentences_evidence,
        "sentences_rubric": sentences_rubric,
        "sentences_stand_in": sentences_stand_in,
        "panels": panels,
        "named_rates": named_rates,
        "table_rows": table_rows,
        "job_table": job_table,
        "version": __version__,
    }
    return environment


@functools.cache
def asset(*names: str) -> Asset:
    """The named files as one text, with its hash for the policy."""
    folder = resources.files("nova_judge.report") / "templates"
    text = "\n".join((folder / name).read_text("utf-8") for name in names)
    digest = hashlib.sha256(text.encode()).digest()
    return Asset(text, f"'sha256-{base64.b64encode(digest).decode()}'")
