"""`report.html`: one file that needs no network; its policy lets only our own script run."""

import base64
import functools
import hashlib
from collections.abc import Iterable
from importlib import resources
from itertools import islice
from typing import Any, NamedTuple

import jinja2

from nova_judge import __version__
from nova_judge.findings import sentences, sentences_rubric, sentences_stand_in
from nova_judge.findings.labels import one_line
from nova_judge.findings.metrics_record import Metrics
from nova_judge.records import Rejected
from nova_judge.report import panels
from nova_judge.report.job_table import job_table
from nova_judge.report.key_figures import table_rows
from nova_judge.report.page_rows import RowSample, pack
from nova_judge.report.rates import named_rates
from nova_judge.report.weights import WeightsEvidence, own_result

SCRIPTS = ("rows.js", "statistics.js", "weights.js", "start.js")
MOST_REJECTED = 200


class Asset(NamedTuple):
    """A style sheet or script in the page, and the hash by which the policy knows it."""

    text: str
    hash: str


def render_page(
    metrics: Metrics,
    sample: RowSample,
    evidence: WeightsEvidence,
    rejected: Iterable[Rejected] = (),
) -> str:
    """The page of a run; `sample` and `evidence` must have watched all rows."""
    rows = sample.rows()
    weights = evidence.weights(metrics)
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
            duels=panels.duels(metrics),
            scores=sentences.weighted_scores(metrics),
            lead=sentences.lead(metrics),
            position_sentence=sentences.positions(metrics),
            job_table=job_table(metrics),
            sample_sentence=sentences.sample(len(rows), sample.seen),
            shown_rows=len(rows),
            packed_rows=pack(
                {"rows": [row.fields for row in rows], "groups": evidence.group_names(rows)}
            ),
            weights=weights,
            packed_weights=pack(weights.form) if weights else "",
            own_result=own_result(weights),
            rubric_sentences=_rubric_sentences(metrics),
            slices_sentence=sentences.slices(metrics),
            version=__version__,
        )
    )


def _rubric_sentences(metrics: Metrics) -> dict[str, Any]:
    if metrics.rubric is None:
        return {}
    return {
        "criteria": sentences_rubric.criteria(metrics),
        "driver": sentences_rubric.driver(metrics),
        "firmness": sentences_rubric.firmness(metrics),
        "warnings": sentences_rubric.warnings(metrics.rubric),
    }


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
        "reach": panels.reach,
        "signed": sentences.signed,
    }
    environment.globals |= {
        "stand_ins": sentences_stand_in.stand_ins,
        "judge_role": sentences_stand_in.role,
    }
    return environment


@functools.cache
def asset(*names: str) -> Asset:
    """The named files as one text, with its hash for the policy."""
    folder = resources.files("nova_judge.report") / "templates"
    text = "\n".join((folder / name).read_text("utf-8") for name in names)
    digest = hashlib.sha256(text.encode()).digest()
    return Asset(text, f"'sha256-{base64.b64encode(digest).decode()}'")
