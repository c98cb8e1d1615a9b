"""`nova-judge stats`: every estimate for a file of judgments, wherever they come from."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nova_judge.cli.arguments import AsJson, Level
from nova_judge.cli.json_output import print_json
from nova_judge.findings.judgment_file import Reading, read_judgment_file
from nova_judge.findings.sentences import p_value, percent, quoted_interval
from nova_judge.plain import plain
from nova_judge.statistics.findings import find
from nova_judge.statistics.settings import StatisticsSettings

_MOST_SHOWN = 20


def command(
    file: Annotated[
        Path, typer.Argument(metavar="JUDGMENTS", help="A .jsonl, .csv or .parquet file.")
    ],
    labels: Annotated[
        Path | None, typer.Option(help="Labels by `id`, in any of these formats.")
    ] = None,
    level: Level = 0.95,
    equivalence_margin: Annotated[
        float | None,
        typer.Option(min=0.0001, max=0.5, help="Win rates this near to .5 count as equal: .03."),
    ] = None,
    anytime: Annotated[
        bool, typer.Option(help="You looked before and may look again: tests that allow it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Win rate, verdict, positions, agreement, calibration and more for a file of judgments.

    Columns: id, forward, backward, and where you have them label, margin (A - B), category,
    length_A, length_B (characters); or preference, the share that B wins. `forward` was judged
    with A shown first, `backward` with B first, both as the judge wrote them: in backward, A>B says
    that B won. An empty verdict is one that could not be read.

    Examples:

      nova-judge stats judgments.jsonl --labels pairs.jsonl

      nova-judge stats out/demo/report/judgments.parquet --equivalence-margin 0.03

      nova-judge stats judgments.csv --json | jq .verdict
    """
    with Console(stderr=True).status(f"Reading {escape(str(file))}"):
        reading = read_judgment_file(file, labels)
        settings = StatisticsSettings(
            level=level, equivalence_margin=equivalence_margin, anytime=anytime
        )
        stated = _stated(file, reading, settings)
    if as_json:
        print_json(stated)
    else:
        _show(Console(highlight=False), stated)


def _stated(file: Path, reading: Reading, settings: StatisticsSettings) -> dict[str, Any]:
    found = plain(find(reading.evidence, settings, reading.basis))
    return {
        "file": str(file),
        "n": reading.evidence.profiles.judged,
        "basis": reading.basis,
        "rows": {
            "read": reading.rows,
            "set_aside": len(reading.set_aside),
            "judge_failed": reading.evidence.profiles.judge_failed,
            "judged": reading.evidence.profiles.judged,
        },
        "set_aside": [line._asdict() for line in reading.set_aside],
        **found,
        "notes": [*reading.notes, *found["notes"]],
    }


def _show(console: Console, stated: dict[str, Any]) -> None:
    rows = stated["rows"]
    console.print(f"[bold]{escape(stated['verdict']['sentence'])}[/]")
    console.print(
        f"{rows['judged']:,} rows judged, {rows['judge_failed']:,} without a verdict, "
        f"{rows['set_aside']:,} lines set aside, of {rows['read']:,}"
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in _lines(stated):
        table.add_row(escape(name), escape(value))
    console.print(table)
    if stated["slices"]:
        console.print(_slices(stated["slices"]))
    for line in stated["set_aside"][:_MOST_SHOWN]:
        console.print(f"[yellow]line {line['line']}[/]: {escape(line['reason'])}")
    if len(stated["set_aside"]) > _MOST_SHOWN:
        console.print("[dim]all of them: --json[/]")
    for note in stated["notes"]:
        console.print(f"[dim]{escape(note)}[/]")


def _lines(stated: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [
        (title, _interval(stated[name]))
        for name, title in (
            ("win_rate", "win rate of B, ties as half"),
            ("win_rate_decisive", "win rate of B, decided rows only"),
            ("win_rate_corrected", "win rate of B, corrected by labels"),
            ("length_controlled", "win rate of B at equal length"),
            ("format_controlled", "win rate of B at equal structure"),
        )
        if stated[name] is not None
    ]
    decided = stated["verdict"]["a"] + stated["verdict"]["b"]
    rows = stated["rows"]["judged"] + stated["rows"]["judge_failed"]
    lines.append(("rows that are decided", f"{decided:,}, {_share(decided / rows)}"))
    if found := stated["positions"]:
        lines += [
            ("first position named", _share(found["first_rate"])),
            ("each order names the other candidate", _share(found["flips"])),
            ("same verdict in both orders", _share(found["consistency"])),
            ("position bias", _p(found["p_value"])),
        ]
    if found := stated["agreement"]:
        names = ("forward", "backward", "strict", "summed")
        lines += [(f"agreement, {name}", _share(found[name])) for name in names]
        lines.append(("Cohen's kappa", _kappa(found)))
    if found := stated["calibration"]:
        lines.append(("expected calibration error", f"{found['expected_error']:.4f}"))
    return lines


def _interval(found: dict[str, Any]) -> str:
    return f"{quoted_interval(found)}  {found['method']}"


def _kappa(found: dict[str, Any]) -> str:
    interval = found["kappa_interval"]
    if interval is None:
        return "not defined"
    if interval["low"] is None:
        return f"{interval['estimate']:.3f}"
    return f"{interval['estimate']:.3f}  [{interval['low']:.3f} to {interval['high']:.3f}]"


def _share(share: float | None) -> str:
    return "-" if share is None else percent(share)


def _p(value: float | None) -> str:
    return "-" if value is None else p_value(value)


def _slices(slices: list[dict[str, Any]]) -> Table:
    table = Table("category", "rows", "win rate of B", "p (Holm)", box=None, pad_edge=False)
    for entry in slices[:_MOST_SHOWN]:
        rate = entry["win_rate"]
        table.add_row(
            escape(str(entry["category"] or "(none)")),
            str(entry["rows"]),
            "too few rows" if rate is None else quoted_interval(rate),
            _p(entry["p_holm"]),
        )
    return table
