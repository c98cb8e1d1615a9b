"""`report.md`: the result in a form that pastes into a pull request."""

import functools
import re

import jinja2

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import headline, quoted_interval, short_interval
from nova_judge.report.key_figures import our_rates, reported_rates
from nova_judge.report.page import environment
from nova_judge.text import one_line

__all__ = ["escape", "render_markdown"]

_SPECIAL = re.compile(r"([\\`*_\[\]#|~$])")
_LEADING = re.compile(r"^(\d*)([-+=.):])")
_GAP = re.compile(r"\n{3,}")


def render_markdown(metrics: Metrics) -> str:
    """The report as GitHub Markdown; names and reasons are escaped, so that they stay text.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> render_markdown(metrics_of_job({"a_scores": 10, "b_scores": 40})).splitlines()[0]
    '## B is better'
    """
    template = markdown_environment().get_template("report.md.j2")
    written = template.render(
        metrics=metrics,
        result=headline(metrics),
        ours=our_rates(metrics),
        reported=reported_rates(metrics),
    )
    return _GAP.sub("\n\n", written).strip("\n") + "\n"


@functools.cache
def markdown_environment() -> jinja2.Environment:
    """That of the pages, but for what escapes: the filter `markdown`, where a text asks for it."""
    made = environment().overlay(autoescape=False)
    made.filters = made.filters | {
        "markdown": escape,
        "short_interval": short_interval,
        "quoted_interval": quoted_interval,
    }
    return made


def escape(text: str, limit: int = 300) -> str:
    """Any text as one line of Markdown that renders as itself: no markup, links or mentions.

    >>> escape("<b>")
    '&lt;b>'
    """
    plain = one_line(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;")
    text_only = _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", plain))
    return text_only.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
