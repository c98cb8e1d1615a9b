"""`nova-judge reweight`: other weights for the criteria, without asking the judge again."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from nova_judge.cli.arguments import AsJson, Drop, Groups, Only, WeightsAsked
from nova_judge.cli.terminal import Console, print_json, right, table
from nova_judge.errors import WeightingError
from nova_judge.pairs.criteria import CriterionGroups, load_groups
from nova_judge.pairs.criterion_weights import (
    ReweighedFigures,
    coverage,
    figures,
    reweigh,
    settings_for,
    weighting,
)
from nova_judge.pairs.firmness import Firmness, RootCause, drivers, firmness, root_causes
from nova_judge.pairs.rubric_columns import (
    ReportColumns,
    RubricColumns,
    columns_of_report,
    read_columns,
)
from nova_judge.records import Candidate
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.steps.import_job import report_at
from nova_judge.text import count_of, one_line

_LISTED = 20


def command(
    run: Annotated[
        str,
        typer.Argument(help="A run, s3://bucket/runs/<id>/, output.tar.gz or details Parquet."),
    ],
    weights: WeightsAsked = "",
    drop: Drop = "",
    only: Only = "",
    groups: Groups = None,
    as_json: AsJson = False,
) -> None:
    """New verdicts, win rate and figures from the stored judgments under other weights.

    Without weights it says what each criterion covers and contributes, how firm the lead is, and
    where the loser loses. Each row has one rubric, of the forward pass.

    Examples:

      nova-judge reweight out/rubric

      nova-judge reweight out/rubric --weights accuracy=0.6,conciseness=0.4

      nova-judge reweight out/rubric --drop exactness

      nova-judge reweight out/rubric --only accuracy,conciseness --json
    """
    known = load_groups(groups)
    with Console(stderr=True).status("Reading the rubrics"):
        rows, settings = _read(run, known)
    if not rows.columns.scored.any():
        raise WeightingError(f"{run} has no readable rubric: reweighing needs a rubric judge.")
    chosen = weighting(rows.columns, known, weights=weights, drop=drop, only=only)
    own = chosen.weights is None and bool(chosen.kept.all())
    if not own:
        settings = settings_for(rows.columns, settings)
    reweighed = figures(rows.columns, reweigh(rows.columns, chosen), settings, rows.prompts)
    firm = None if weights or drop or only else firmness(rows.columns)
    loser: Candidate = "A" if firm is not None and firm.leader == "B" else "B"
    causes = root_causes(rows.columns, rows.categories, loser) if firm is not None else None
    if as_json:
        print_json(_plain(reweighed, rows, firm, causes))
        return
    console = Console()
    _print_figures(console, reweighed)
    console.print(_criteria_table(rows.columns))
    if firm is not None:
        _print_firmness(console, firm)
    if causes:
        _print_causes(console, loser, causes)


def _read(run: str, groups: CriterionGroups) -> tuple[ReportColumns, StatisticsSettings]:
    """The rubrics of a run, or of a judge job's details that never went through our pipeline."""
    details = Path(run)
    if details.is_file() and details.suffix == ".parquet":
        columns = read_columns(details, groups)
        return ReportColumns(columns, [None] * columns.rows), StatisticsSettings()
    report = report_at(run)
    return columns_of_report(report.stored_judgments(), groups), report.metrics.statistics


def _print_figures(console: Console, reweighed: ReweighedFigures) -> None:
    console.print(f"[bold]{escape(one_line(reweighed.verdict.sentence, 2000))}[/]")
    console.print(
        f"B wins {reweighed.b:,}, A wins {reweighed.a:,}, {reweighed.ties:,} ties; "
        f"{count_of(reweighed.unscored, 'row')} without a weighted criterion; mean margin "
        f"{_signed(reweighed.margin)} (A - B)."
    )
    console.print(
        f"{count_of(reweighed.same_as_judge, 'row')} as the judge's forward verdict; the judge "
        f"itself gave two different verdicts on {reweighed.flipped_by_judge:,} of these rows."
    )


def _criteria_table(columns: RubricColumns) -> Table:
    effect = {driver.group: driver.contribution for driver in drivers(columns)}
    numbers = right("rows", "of weight", "adds to A - B")
    covered = coverage(columns)
    more = f"and {len(covered) - _LISTED:,} rarer ones" if len(covered) > _LISTED else None
    rows = (
        (
            one_line(one.group, 40),
            f"{one.rows:,} ({one.share_of_rows:.0%})",
            f"{one.share_of_weight:.1%}",
            _signed(effect[one.group]),
            one_line(", ".join(one.members), 60),
        )
        for one in covered[:_LISTED]
    )
    names = ("criterion", *numbers, "names")
    return table(names, rows, title="Criteria", title_justify="left", caption=more)


def _print_firmness(console: Console, firm: Firmness) -> None:
    leader = f"{firm.leader} leads in the order A, B" if firm.leader else "neither leads"
    console.print(f"At the judge's mean weights {leader}.")
    for turn in firm.turns[:3]:
        console.print(
            f"  The lead turns when {escape(one_line(turn.group, 40))} goes from {turn.weight:.0%} "
            f"to {turn.turns_at:.0%} of the weight."
        )
    if not firm.turns:
        console.print("  No weight of a single criterion turns it.")
    console.print(
        f"Of {firm.weightings:,} weightings drawn uniformly (seed {firm.seed}), B leads under "
        f"{firm.share_b:.1%} and A under {firm.share_a:.1%}."
    )


def _print_causes(console: Console, loser: Candidate, causes: list[RootCause]) -> None:
    columns = ("category", "criterion", *right("rows lost", "mean cost", "worst rows"))
    rows = (
        (
            one_line(cause.category, 40),
            one_line(cause.group, 40),
            f"{cause.lost:,}",
            f"{cause.loss:.3f}",
            ", ".join(map(str, cause.worst)),
        )
        for cause in causes[:_LISTED]
    )
    title = f"Where {loser} loses"
    console.print(table(columns, rows, title=title, title_justify="left"))
    console.print("Look at one with `nova-judge rows RUN --row N`.")


def _signed(value: float | None) -> str:
    return "unknown" if value is None else f"{value:+.3f}"


def _plain(
    reweighed: ReweighedFigures,
    rows: ReportColumns,
    firm: Firmness | None,
    causes: list[RootCause] | None,
) -> object:
    return {
        **msgspec.structs.asdict(reweighed),
        "criteria": coverage(rows.columns),
        "drivers": drivers(rows.columns),
        "firmness": firm,
        "root_causes": causes,
    }
