"""`nova-judge estimate`: what a run will cost and take, before it starts."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from nova_judge.cli.arguments import AsJson, Join, Map, RecipeOption, TriggeredBy
from nova_judge.cli.command_input import first_bytes, source, triggered_recipe
from nova_judge.cli.terminal import Console, bare_table, print_json, right
from nova_judge.errors import InputFileError
from nova_judge.findings.index_entry import IndexEntry, judged_before
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.kinds.recipes import beside
from nova_judge.preflight.expected_usage import Throughput, throughput_of
from nova_judge.preflight.forecast import check_budget, estimate_run, read_workload
from nova_judge.preflight.input_head import InputHead, read_head, why_none
from nova_judge.recipe import catalog
from nova_judge.recipe.own_models import own_names
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.usage import Estimate, Workload
from nova_judge.text import count_of

HEAD_BYTES = 16 * 1024**2


def command(
    recipe: RecipeOption,
    input_file: Annotated[
        Path | None,
        typer.Argument(metavar="INPUT", help="A file of rows; benchmarks bring their own."),
    ] = None,
    columns: Map = None,
    join: Join = None,
    trigger: TriggeredBy = "",
    stage: Annotated[
        str | None,
        typer.Option(
            help="Take the judge's speed from this stage's own runs, if there are enough."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a run would cost and how long it would take, position by position.

    Ends with an error when the recipe's budget.max_usd is below the estimate, as the run would.

    Examples:

      nova-judge estimate questions.jsonl --recipe pairwise

      nova-judge estimate questions.jsonl --recipe pairwise --stage prod

      nova-judge estimate questions.jsonl --recipe my.yaml --json | jq .likely.usd
    """
    read = triggered_recipe(recipe, trigger)
    measured = measured_in(stage, read) if stage else None
    with source(input_file, read, columns, join) as lines:
        workload = workload_of(read, lines, name=input_file)
        forecast = estimate_run(read, workload, measured, own_names(beside(recipe)))
    if as_json:
        print_json(forecast)
    else:
        show(Console(), read, forecast)
    check_budget(read, forecast)


def measured_in(stage: str, recipe: Recipe) -> Throughput | None:
    """The speed that the recipe's judge had in a stage's runs; None where they do not tell."""
    from nova_judge.aws import submissions  # noqa: PLC0415 - an estimate alone needs no AWS
    from nova_judge.aws.place import refusals_explained  # noqa: PLC0415
    from nova_judge.steps.run_index import read_index  # noqa: PLC0415

    with refusals_explained(stage):
        return measured_by(read_index(submissions.deployed(stage).bucket), recipe)


def measured_by(entries: Iterable[IndexEntry], recipe: Recipe) -> Throughput | None:
    """The speed that the recipe's judge had in these runs."""
    judge = kind_of(recipe.kind).judged_by(recipe).model
    return throughput_of(judged_before(entries, judge))


def workload_of(recipe: Recipe, path: Path | None, name: Path | None = None) -> Workload:
    """The work in a file of JSON Lines; messages call it by its `name`.

    Raises InputFileError where the recipe can do nothing with it.
    """
    reads = kind_of(recipe.kind).needs_file(recipe)
    if path is None:
        if reads:
            raise InputFileError(f"recipe {recipe.name} reads an input file: name it as INPUT")
        return Workload(rows=0)
    if not reads:
        raise InputFileError(
            f"recipe {recipe.name} brings its own questions: call the command without {name}"
        )
    head = read_file_head(recipe, path, name)
    workload = read_workload(recipe, *head[:3])
    if not workload.rows:
        raise InputFileError(
            f"{name}: no line can be used by recipe {recipe.name}: {why_none(recipe, head)}"
        )
    return workload


def read_file_head(recipe: Recipe | None, path: Path, name: Path | None = None) -> InputHead:
    """The head of an input file on this machine. Raises InputFileError."""
    read = partial(first_bytes, path)
    try:
        return read_head(recipe, str(name or path), path.stat().st_size, read, HEAD_BYTES)
    except OSError as error:
        raise InputFileError(f"{path}: not readable: {error.strerror}") from None


def show(console: Console, recipe: Recipe, forecast: Estimate) -> None:
    """Print an estimate, position by position, with the budget and what it rests on."""
    work = forecast.workload
    about = "" if work.exact else "about "
    over = f" over {about}{count_of(work.rows, 'row')}" if work.size else ""
    console.print(f"[bold]{recipe.name}[/]{over}: {_sum(forecast)}")
    rows = (
        (line.part, line.what, f"{line.quantity:,.2f} {line.unit}", _dollars(line.usd))
        for line in forecast.likely.lines
    )
    console.print(bare_table(("position", "what", *right("quantity", "US$")), rows))
    for warning in forecast.warnings:
        console.print(f"[yellow]{escape(warning)}[/]", highlight=False)
    budget = recipe.budget.max_usd
    if budget is not None:
        console.print(f"budget.max_usd: ${budget:,.2f}")
        stuck = _up_to_the_limit(forecast)
        if forecast.worst.usd - stuck <= budget < forecast.worst.usd:
            console.print("A lower judge.max_runtime_s keeps a stuck job below the budget too.")
    console.print("[dim]This rests on:[/]")
    for assumption in forecast.assumptions:
        console.print(f"[dim]  - {assumption}[/]")
    console.print(f"[dim]{catalog.assumptions().note}[/]")


def _sum(forecast: Estimate) -> str:
    likely = forecast.likely
    if likely.unpriced:
        return (
            f"[bold]price not known[/] for {', '.join(likely.unpriced)}; "
            f"what has a price costs ${likely.usd:,.2f}"
        )
    worst, parts = forecast.worst.usd, []
    if forecast.workload.generated:
        parts.append("answers as long as allowed")
    if _up_to_the_limit(forecast):
        parts.append("every judge job up to its time limit")
    at_worst = f", ${worst:,.2f} with {' and '.join(parts)}" if parts else ""
    return f"[bold]${likely.usd:,.2f}[/] and {forecast.hours:,.1f} h likely{at_worst}"


def _up_to_the_limit(forecast: Estimate) -> float:
    """What judge jobs may cost beyond what is likely, in US dollars."""
    bills = (forecast.worst, forecast.likely)
    worst, likely = (
        sum(line.usd or 0 for line in bill.lines if line.part == "judge") for bill in bills
    )
    return worst - likely


def _dollars(usd: float | None) -> str:
    if usd is None:
        return "no price known"
    return f"{usd:,.2f}" if usd >= 0.005 else "< 0.01"
