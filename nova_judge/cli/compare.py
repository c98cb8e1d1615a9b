"""`nova-judge compare`: checkpoints against each other, criterion by criterion."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from nova_judge.cli.arguments import AsJson, Drop, Groups, Level, Only, WeightsAsked, reweighing
from nova_judge.cli.terminal import Console, print_json, right, table
from nova_judge.errors import RequestError
from nova_judge.findings.checkpoint_comparison import (
    Change,
    Comparison,
    compare,
    require_same_judge,
    rows_of_run,
)
from nova_judge.pairs.criteria import load_groups
from nova_judge.steps.import_job import report_at
from nova_judge.text import count_of, one_line

_COLOURS = {"better": "green", "worse": "red"}


def command(
    runs: Annotated[
        list[str], typer.Argument(help="Two or more runs, s3:// too; the first is the base.")
    ],
    weights: WeightsAsked = "",
    drop: Drop = "",
    only: Only = "",
    groups: Groups = None,
    confidence: Level = 0.95,
    as_json: AsJson = False,
) -> None:
    """Say what candidate B gained or lost since the first run, and what is only noise.

    The runs need the same judge, kind and baseline A; rows are paired by id and prompt.

    Examples:

      nova-judge compare runs/step-1000 runs/step-2000

      nova-judge compare runs/step-1000 runs/step-2000 --only faithfulness

      nova-judge compare base/ s3://bucket/runs/new-id/ --json
    """
    if len(runs) < 2:
        raise RequestError("compare needs two runs or more: name the base first.")
    known, asked = load_groups(groups), reweighing(weights, drop, only)
    reports = [report_at(run) for run in runs]
    require_same_judge(reports)
    with Console(stderr=True).status("Reading the runs"):
        first, *others = [rows_of_run(report, known, asked) for report in reports]
        compared = compare(first, others, confidence)
    if as_json:
        print_json(compared)
        return
    console = Console()
    if asked is not None:
        console.print(f"Under other weights than the judge's: {escape(str(asked))}.")
    for one in compared:
        console.print(_table(first.candidate, one))
        console.print(
            f"{count_of(one.common, 'prompt')} in both runs; {one.only_first:,} only in the first, "
            f"{one.only_other:,} only in the other."
        )


def _table(first: str, one: Comparison) -> Table:
    title = f"{one_line(first, 40)} → {one_line(one.candidate, 40)} ({one_line(one.run_id, 60)})"
    numbers = right("pairs", "before", "after", "change", "interval", "p")
    columns = ("B - A on", *numbers, "")
    return table(columns, map(_cells, one.changes), title=escape(title), title_justify="left")


def _cells(change: Change) -> list[str | Text]:
    return [
        one_line(change.measure, 40),
        f"{change.pairs:,}",
        f"{change.first:+.3f}",
        f"{change.other:+.3f}",
        f"{change.change:+.3f}",
        f"{change.low:+.3f} to {change.high:+.3f}",
        f"{change.p_value:.3f}",
        Text(change.word, _COLOURS.get(change.word, "")),
    ]
