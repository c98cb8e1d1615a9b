"""`nova-judge rows`: judged rows, one after the other, as the notebook shows them."""

import enum
from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import msgspec
import typer

from nova_judge.cli.arguments import AsJson, Groups, RunArgument
from nova_judge.cli.terminal import print_json, say
from nova_judge.errors import RequestError
from nova_judge.findings.row_text import criteria_of, row_text
from nova_judge.findings.saved_report import SavedReport
from nova_judge.pairs.criteria import CriterionGroups, load_groups
from nova_judge.recipe.shape import did_you_mean
from nova_judge.records import JudgedRow
from nova_judge.statistics.outcomes import Reconciled, profile_of, reconcile
from nova_judge.steps.import_job import report_at


class Wanted(enum.StrEnum):
    """Rows to show, by what both orders together say."""

    A = "A"
    B = "B"
    TIE = "tie"
    FLIP = "flip"
    ERROR = "error"


_MOST_NAMED = 40
_RECONCILED = {Wanted.FLIP: Reconciled.INCONSISTENT}


def command(
    run: RunArgument,
    row: Annotated[
        list[int] | None, typer.Option(help="Only this row, counted from 0; may be repeated.")
    ] = None,
    criterion: Annotated[
        list[str] | None, typer.Option(help="Only rows with this criterion, and only it.")
    ] = None,
    verdict: Annotated[
        Wanted | None, typer.Option(help="Only rows with this verdict of both orders.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only rows of this category.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Stop after this many rows.")] = 20,
    groups: Groups = None,
    as_json: AsJson = False,
) -> None:
    """Print judged rows: verdicts, weighted scores, criteria and justifications.

    Examples:

      nova-judge rows out/demo

      nova-judge rows out/demo --row 3

      nova-judge rows out/rubric --criterion accuracy --verdict A --limit 5
    """
    table = load_groups(groups)
    wanted = frozenset(table.group(name) for name in criterion or ())
    report = report_at(run)
    _require_criteria(run, report, table, wanted)

    def chosen() -> Iterator[tuple[int, JudgedRow]]:
        for index, judged in enumerate(report.rows()):
            if (
                (not row or index in row)
                and (not wanted or wanted & criteria_of(judged, table))
                and (verdict is None or _says(judged, verdict))
                and (category is None or judged.row.category == category)
            ):
                yield index, judged

    shown = islice(chosen(), None if row else limit)
    if as_json:
        print_json([{"index": index, **msgspec.to_builtins(judged)} for index, judged in shown])
        return
    index = -1
    for index, judged in shown:
        say(row_text(index, judged, table, wanted))
    if index < 0:
        raise RequestError(f"No row of {run} matches these options; drop some of them.")


def _require_criteria(
    run: str, report: SavedReport, groups: CriterionGroups, wanted: frozenset[str]
) -> None:
    """Raises RequestError with the criteria that there are, where one that is wanted is not."""
    if not wanted:
        return
    there = {name for judged in report.rows() for name in criteria_of(judged, groups)}
    if absent := sorted(wanted - there):
        names = sorted(there)[:_MOST_NAMED]
        more = f" and {len(there) - len(names):,} more" * (len(there) > len(names))
        raise RequestError(
            f"No row of {run} has the criterion {', '.join(absent)}. There are: "
            f"{', '.join(names) or 'none'}{more}{did_you_mean(absent[0], there) or '.'}"
        )


def _says(judged: JudgedRow, wanted: Wanted) -> bool:
    reconciled = reconcile(profile_of(judged.judgment))
    return reconciled == _RECONCILED.get(wanted, wanted.value)
