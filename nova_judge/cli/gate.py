"""`nova-judge gate`: pass or fail a change by what its evaluation shows."""

import sys
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from typer.core import TyperCommand

from nova_judge.cli.arguments import (
    AsJson,
    Drop,
    Groups,
    Only,
    RunOrMetrics,
    WeightsAsked,
    leasts,
    reweighing,
)
from nova_judge.cli.terminal import print_json, say
from nova_judge.findings.merge_gate import GateOutcome, stated_gate
from nova_judge.findings.reweighed import reweighed_report
from nova_judge.pairs.criteria import load_groups
from nova_judge.recipe.trigger import GateDemands
from nova_judge.report.junit import render_junit
from nova_judge.report.markdown import render_markdown
from nova_judge.steps.import_job import report_at

USAGE_ERROR = 2


class GateCommand(TyperCommand):
    """A mistyped option must not look like `inconclusive`, which is exit code 2."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "exit_code", None) == USAGE_ERROR:
                error.exit_code = int(GateOutcome.NOT_EVALUATED)  # type: ignore[attr-defined]
            raise


COMMAND_CLASS = GateCommand


GateMinWinRate: TypeAlias = Annotated[
    float,
    typer.Option(min=0, max=1, help="B passes when its whole interval is at or above this."),
]
GateConfidence: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--confidence",
        "--level",
        min=0.5,
        max=0.9999,
        help="Confidence level of the interval; the run's own if left out.",
    ),
]
GateMaxErrors: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="Share of rows that may be without a verdict.")
]
GateCriterion: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME:LEAST, the least mean difference B less A, of a criterion (0 to 1) or a metric."
    ),
]
GateSummary: TypeAlias = Annotated[
    Path | None, typer.Option(help="Write the summary in Markdown to this file.")
]
GateJunit: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Write test cases to this file: verdict, controls, criteria, categories."),
]


def command(
    run: RunOrMetrics,
    min_win_rate: GateMinWinRate = 0.5,
    confidence: GateConfidence = None,
    max_errors: GateMaxErrors = 0.05,
    criterion: GateCriterion = None,
    weights: WeightsAsked = "",
    drop: Drop = "",
    only: Only = "",
    groups: Groups = None,
    summary: GateSummary = None,
    junit: GateJunit = None,
    as_json: AsJson = False,
) -> None:
    """Say in one line if B may replace A.

    The line names who judged, and every stand-in.

    Exit codes: 0 passed, 1 worse, 2 inconclusive, 3 could not be evaluated.

    Examples:

      nova-judge gate out/demo

      nova-judge gate out/rubric --min-win-rate 0.45 --max-errors 0.02 --criterion accuracy:0

      nova-judge gate out/rubric --weights accuracy=0.6,conciseness=0.4

      nova-judge gate out/bedrock --criterion Correctness:0
    """
    asked, table = reweighing(weights, drop, only), load_groups(groups)
    report = reweighed_report(report_at(run), asked, table)
    criteria = leasts(criterion, ", as in accuracy:0", -sys.float_info.max, sys.float_info.max)
    rules = GateDemands(min_win_rate, max_errors, criteria, confidence)
    finding = stated_gate(report.metrics, rules)
    if as_json:
        print_json(finding)
    else:
        line = f"{finding.outcome.upper()}: {finding.reason}. {finding.judged_by}"
        say(" ".join(line.split()))
    if summary is not None:
        summary.write_text(render_markdown(report.metrics), encoding="utf-8")
    if junit is not None:
        junit.write_bytes(render_junit(report.metrics))
    raise typer.Exit(finding.exit_code)
