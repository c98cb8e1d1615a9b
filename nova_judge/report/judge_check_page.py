"""The page that compares judges by what they did on labelled pairs."""

from collections.abc import Sequence

from nova_judge.findings.judge_reliability import CheckedJudge
from nova_judge.report.page import asset, environment
from nova_judge.version import __version__


def render_judge_check(judges: Sequence[CheckedJudge], labels: str) -> str:
    """The page, without a script; `labels` says which pairs were judged."""
    template = environment().get_template("judge_check.html.j2")
    return template.render(
        judges=judges, labels=labels, style=asset("report.css"), version=__version__
    )
