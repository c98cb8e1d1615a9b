"""`report.html`: one file that needs no network; its policy lets only our own script run."""

import base64
import functools
import hashlib
from collections.abc import Iterable
from importlib import resources
from itertools import islice
from typing import NamedTuple

import jinja2
import msgspec

from nova_judge.findings import (
    sentences,
    sentences_evidence,
    sentences_rubric,
    sentences_stand_in,
)
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.one_line import one_line
from nova_judge.records import Headline, Rejected
from nova_judge.report import panels
from nova_judge.report.job_table import JobFigure, job_table
from nova_judge.report.key_figures import table_rows
from nova_judge.report.rates import NamedRate, named_rates
from nova_judge.report.report_rows import AnswersShown, PairsShown, ReportRows
from nova_judge.text import count_of
from nova_judge.version import __version__

__all__ = ["render_page"]

ROW_SCRIPTS = ("text.js", "difference.js", "row_card.js", "rows.js")
SCRIPTS = (*ROW_SCRIPTS, "statistics.js", "weights.js", "start.js")
MOST_REJECTED = 200


class Asset(NamedTuple):
    """A style sheet or script in the page, and the hash by which the policy knows it."""

    text: str
    hash: str


class RubricSentences(NamedTuple):
    """Sentences of the page on the criteria."""

    criteria: str
    score_use: str
    driver: str
    firmness: str
    warnings: list[str]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the template shows, under the names that it has there.

    `pairs` or `answers` is what the page shows of the run's rows, which all stand in `rows_file`; a
    failed run has none of them. Only a page with pairs or sliders has a script.
    """

    metrics: Metrics
    headline: Headline
    rows_sentence: str
    style: Asset
    script: Asset | None
    rates: list[NamedRate]
    figures: list[tuple[str, str]]
    rejected: list[Rejected]
    duels: list[panels.Duel]
    scores: str | None
    lead: str
    position_sentence: str
    evidence_sentences: list[str]
    review_sentences: list[str]
    job_table: list[JobFigure]
    rubric_sentences: RubricSentences | None
    slices_sentence: str
    rows_file: str | None
    pairs: PairsShown | None
    answers: AnswersShown | None
    version: str = __version__


def render_page(
    metrics: Metrics, evidence: ReportRows | None = None, rejected: Iterable[Rejected] = ()
) -> str:
    """The page of a run of any kind; the evidence must have been written before.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> render_page(metrics_of_job({"a_scores": 10, "b_scores": 40})).partition(">")[0]
    '<!doctype html'
    """
    shown = evidence.shown(metrics) if evidence else None
    pairs = shown if isinstance(shown, PairsShown) else None
    scripted = pairs is not None and (pairs.count or pairs.weights)
    page = Page(
        metrics=metrics,
        headline=sentences.headline(metrics),
        rows_sentence=sentences.rows(metrics),
        style=asset("report.css"),
        script=asset(*SCRIPTS) if scripted else None,
        rates=named_rates(metrics),
        figures=table_rows(metrics),
        rejected=list(islice(rejected, MOST_REJECTED)),
        duels=panels.duels(metrics),
        scores=sentences.weighted_scores(metrics),
        lead=sentences.lead(metrics),
        position_sentence=sentences.positions(metrics),
        evidence_sentences=sentences_evidence.evidence(metrics),
        review_sentences=sentences_evidence.review(metrics),
        job_table=job_table(metrics),
        rubric_sentences=_rubric_sentences(metrics),
        slices_sentence=sentences.slices(metrics),
        rows_file=evidence.file if evidence else None,
        pairs=pairs,
        answers=shown if isinstance(shown, AnswersShown) else None,
    )
    template = environment().get_template("report.html.j2")
    return template.render(msgspec.structs.asdict(page))


def _rubric_sentences(metrics: Metrics) -> RubricSentences | None:
    if metrics.rubric is None:
        return None
    return RubricSentences(
        sentences_rubric.criteria(metrics),
        sentences_rubric.score_use(metrics.rubric),
        sentences_rubric.driver(metrics),
        sentences_rubric.firmness(metrics),
        sentences_rubric.warnings(metrics.rubric),
    )


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
        "named": sentences.named,
        "count_of": count_of,
        "thousands": "{:,}".format,
        "ring": panels.ring,
        "gauge": panels.gauge,
        "reach": panels.reach,
        "signed": sentences.signed,
        "share_of": panels.share_of_scale,
    }
    environment.globals |= {
        "caveats": sentences_stand_in.caveats,
        "stand_ins": sentences_stand_in.stand_ins,
        "judge_role": sentences_stand_in.role,
        "outcomes": panels.OUTCOMES,
    }
    return environment


@functools.cache
def asset(*names: str) -> Asset:
    """The named files as one text, with its hash for the policy."""
    folder = resources.files("nova_judge.report") / "templates"
    text = "\n".join((folder / name).read_text("utf-8") for name in names)
    digest = hashlib.sha256(text.encode()).digest()
    return Asset(text, f"'sha256-{base64.b64encode(digest).decode()}'")
