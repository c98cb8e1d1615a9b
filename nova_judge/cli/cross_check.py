"""`nova-judge cross-check`: several judges on the same pairs."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from nova_judge.cli.arguments import AsJson
from nova_judge.cli.terminal import Console, print_json, table
from nova_judge.errors import NotComparableError
from nova_judge.findings.judge_agreement import CrossCheck, PairOfJudges, cross_check, judge_of
from nova_judge.report.page import render
from nova_judge.statistics.outcomes import VERDICTS
from nova_judge.steps.import_job import report_at
from nova_judge.text import count_of

MOST_DIFFERENCES = 200
MOST_CHARACTERS = 4_000


def command(
    runs: Annotated[
        list[str], typer.Argument(help="Two or more runs on the same pairs, s3:// too.")
    ],
    metric: Annotated[
        str | None, typer.Option(help="The metric to use for a run that scores single answers.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The page that is written.")] = Path("cross-check.html"),
    as_json: AsJson = False,
) -> None:
    """Show how often judges agree on the same pairs, beyond chance, and where they differ.

    The pairwise judge, the rubric judge and Bedrock's judge may stand side by side: pairs are found
    by prompt and both answers, equal ones by their ids, or in their order where ids differ.

    Examples:

      nova-judge cross-check out/demo out/rubric out/bedrock

      nova-judge cross-check out/demo out/bedrock --metric Completeness --json
    """
    if len(runs) < 2:
        raise NotComparableError("cross-check needs two runs or more, of the same pairs")
    with Console(stderr=True).status("Reading the runs"):
        comparison = cross_check([judge_of(report_at(run), metric) for run in runs])
    out.write_text(render_cross_check(comparison), encoding="utf-8")
    if as_json:
        print_json(cross_check_json(comparison))
        return
    console = Console()
    columns = ("first", "second", "pairs", "same verdict", "kappa")
    console.print(table(columns, map(_cells, comparison.pairs)))
    console.print(
        f"They differ on {len(comparison.differences):,} of {count_of(comparison.common, 'pair')} "
        "that all judged."
    )
    if comparison.repeated:
        console.print(_repeats(comparison))
    console.print(f"Page: {escape(str(out))}", soft_wrap=True)


def _repeats(checked: CrossCheck) -> str:
    """State how rows that equal an earlier one were matched; empty without any."""
    if not checked.repeated:
        return ""
    how = "by their ids" if checked.by_ids else "in their order, because the runs' ids differ"
    return (
        f"{count_of(checked.repeated, 'row repeats', 'rows repeat')} an earlier pair: matched "
        f"{how}."
    )


def render_cross_check(checked: CrossCheck) -> str:
    """The page that compares judges, without a script."""
    return render(
        "cross_check.html.j2",
        checked=checked,
        verdicts=list(VERDICTS.values()),
        repeats=_repeats(checked),
        differences=checked.differences[:MOST_DIFFERENCES],
        most_characters=MOST_CHARACTERS,
    )


def cross_check_json(checked: CrossCheck) -> dict[str, object]:
    """The same for programs: of a pair on which judges differ its prompt, id and verdicts."""
    differences = [
        {
            "prompt": pair.prompt,
            "id": pair.id,
            "verdicts": dict(zip(checked.judges, verdicts, strict=True)),
        }
        for pair, verdicts in checked.differences
    ]
    fields = ("judges", "common", "repeated", "by_ids", "pairs")
    return {name: getattr(checked, name) for name in fields} | {"differences": differences}


def _cells(pair: PairOfJudges) -> tuple[str, ...]:
    kappa = pair.kappa
    shown = "not defined" if kappa is None else f"{kappa.estimate:.3f}"
    if kappa is not None and kappa.low is not None:
        shown += f" [{kappa.low:.3f}, {kappa.high:.3f}]"
    return pair.first, pair.second, f"{pair.rows:,}", f"{pair.agreement:.1%}", shown
