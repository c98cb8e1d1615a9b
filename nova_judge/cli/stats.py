"""`nova-judge stats`: every estimate for a file of judgments, wherever they come from."""

import math
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
import typer
from rich.markup import escape

from nova_judge.cli.arguments import AsJson, Level, Map
from nova_judge.cli.terminal import Console, bare_table, print_json
from nova_judge.errors import InputFileError
from nova_judge.findings.judgment_fields import PreferenceScale
from nova_judge.findings.judgment_file import JudgmentsRead, read_judgment_file
from nova_judge.findings.saved_report import JUDGMENTS
from nova_judge.findings.sentences import p_value, percent, quoted_interval, set_aside
from nova_judge.findings.sentences_evidence import evidence
from nova_judge.parquet import has_rows
from nova_judge.recipe.column_map import JudgmentMap, parse_map
from nova_judge.statistics.beyond_chance import BeyondChance
from nova_judge.statistics.findings import Estimates, find
from nova_judge.statistics.outside_labels import judge_rates as judge_rates_of
from nova_judge.statistics.slices import Slice
from nova_judge.statistics.statistics_settings import JudgeRates, StatisticsSettings
from nova_judge.text import count_of

_MOST_SHOWN = 20


StatsFile: TypeAlias = Annotated[
    Path, typer.Argument(metavar="JUDGMENTS", help="A .jsonl, .csv or .parquet file, or a run.")
]
StatsLabels: TypeAlias = Annotated[
    Path | None, typer.Option(help="Labels by `id`, in any of these formats.")
]
StatsJudgeRates: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="JUDGMENTS",
        help="Other pairs that the same judge judged, with labels: its errors there correct "
        "this win rate.",
    ),
]
StatsPreference: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="A:B", help="The scale of `preference`: what says A wins, and what says B wins."
    ),
]
StatsEquivalenceMargin: TypeAlias = Annotated[
    float | None,
    typer.Option(
        min=0.0001, max=0.5, help="Win rates this close to .5 count as equal, such as .03."
    ),
]
StatsAnytime: TypeAlias = Annotated[
    bool, typer.Option(help="Use tests that allow looking repeatedly.")
]


def command(
    file: StatsFile,
    labels: StatsLabels = None,
    judge_rates: StatsJudgeRates = None,
    columns: Map = None,
    preference: StatsPreference = "0:1",
    level: Level = 0.95,
    equivalence_margin: StatsEquivalenceMargin = None,
    anytime: StatsAnytime = False,
    as_json: AsJson = False,
) -> None:
    """Win rate, verdict, positions, agreement, calibration and more for a file of judgments.

    Columns: id, forward, backward, and where you have them label, probability (with which the row
    was drawn to be labelled), margin (A - B), category, length_A, length_B (characters); or
    preference, the share that B wins. `forward` was judged
    with A shown first, `backward` with B first, both as the judge wrote them: in backward, A>B says
    that B won. An empty verdict is one that could not be read.

    Examples:

      nova-judge stats judgments.jsonl --labels pairs.jsonl

      nova-judge stats out/demo --equivalence-margin 0.03

      nova-judge stats judgments.csv --json | jq .verdict
    """
    file = _judgments_of(file)
    with Console(stderr=True).status(f"Reading {escape(str(file))}"):
        named = msgspec.structs.asdict(parse_map(",".join(columns), JudgmentMap)) if columns else {}
        reading = read_judgment_file(
            file,
            labels,
            {field: column for field, column in named.items() if column},
            _scale(preference),
        )
        settings = StatisticsSettings(
            level=level,
            equivalence_margin=equivalence_margin,
            anytime=anytime,
            judge_rates=_rates_in(judge_rates) if judge_rates else None,
        )
        estimates = _with_set_aside(find(reading.evidence, settings, reading.basis), reading)
    if as_json:
        print_json(_document(file, reading, estimates))
    else:
        _show(Console(), reading, estimates)


def _judgments_of(file: Path) -> Path:
    """The file itself; of a report's or run's folder, its judged rows where it has some."""
    candidates = (file / JUDGMENTS, file / "report" / JUDGMENTS)
    return next((rows for rows in candidates if has_rows(rows)), file)


def _rates_in(file: Path) -> JudgeRates:
    rates = judge_rates_of(read_judgment_file(file).evidence)
    if rates is None:
        raise InputFileError(
            f"{file}: no rows with the label A and with the label B on which both orders name one "
            "candidate, so the judge's errors cannot be counted"
        )
    return rates


def _scale(given: str) -> PreferenceScale:
    low, _, high = given.partition(":")
    try:
        scale = PreferenceScale(float(low), float(high))
    except ValueError:
        raise InputFileError(f"--preference {given}: two numbers are expected, as in 1:2") from None
    if scale.low == scale.high or not all(map(math.isfinite, scale)):
        raise InputFileError(
            f"--preference {given}: the two ends of a scale must differ, as in 1:2"
        )
    return scale


def _with_set_aside(estimates: Estimates, reading: JudgmentsRead) -> Estimates:
    """The verdict says so where more than a hundredth of the lines is left out."""
    left_out = set_aside(len(reading.set_aside), reading.rows)
    if not left_out:
        return estimates
    sentence = f"{estimates.verdict.sentence} {left_out}"
    verdict = msgspec.structs.replace(estimates.verdict, sentence=sentence)
    return msgspec.structs.replace(estimates, verdict=verdict)


def _document(file: Path, reading: JudgmentsRead, estimates: Estimates) -> object:
    profiles = reading.evidence.profiles
    return {
        "file": str(file),
        "n": profiles.judged,
        "basis": reading.basis,
        "rows": {
            "read": reading.rows,
            "set_aside": len(reading.set_aside),
            "judge_failed": profiles.judge_failed,
            "judged": profiles.judged,
        },
        "set_aside": reading.set_aside,
        **msgspec.structs.asdict(estimates),
        "notes": [*reading.notes, *estimates.notes],
    }


def _show(console: Console, reading: JudgmentsRead, estimates: Estimates) -> None:
    profiles = reading.evidence.profiles
    console.print(f"[bold]{escape(estimates.verdict.sentence)}[/]")
    console.print(
        f"{count_of(profiles.judged, 'row')} judged, {profiles.judge_failed:,} without a verdict, "
        f"{count_of(len(reading.set_aside), 'line')} set aside, of {reading.rows:,}"
    )
    console.print(bare_table((), _lines(estimates, profiles.rows)))
    for sentence in evidence(estimates):
        console.print(escape(sentence))
    if estimates.slices:
        columns = ("category", "rows", "win rate of B", "p (Holm)")
        console.print(bare_table(columns, map(_cells, estimates.slices[:_MOST_SHOWN])))
    for line in reading.set_aside[:_MOST_SHOWN]:
        console.print(f"[yellow]line {line.line}[/]: {escape(line.reason)}")
    if len(reading.set_aside) > _MOST_SHOWN:
        console.print("[dim]all of them: --json[/]")
    for note in (*reading.notes, *estimates.notes):
        console.print(f"[dim]{escape(note)}[/]")


def _lines(estimates: Estimates, rows: int) -> list[tuple[str, str]]:
    rates = (
        ("win rate of B, ties as half", estimates.win_rate),
        ("win rate of B, decided rows only", estimates.win_rate_decisive),
        ("win rate of B, corrected by labels", estimates.win_rate_corrected),
        ("win rate of B, by outside labels", estimates.win_rate_by_rates),
        ("win rate of B at equal length", estimates.length_controlled),
        ("win rate of B at equal structure", estimates.format_controlled),
        ("win rate of B at equal length and structure", estimates.style_controlled),
    )
    lines = [(name, f"{quoted_interval(rate)}  {rate.method}") for name, rate in rates if rate]
    decided = estimates.verdict.a + estimates.verdict.b
    lines.append(("rows that are decided", f"{decided:,}, {_share(decided / rows)}"))
    if positions := estimates.positions:
        lines += [
            ("first position named", _share(positions.first_rate)),
            ("each order names the other candidate", _share(positions.flips)),
            ("same verdict in both orders", _share(positions.consistency)),
            ("position bias", _p(positions.p_value)),
        ]
    if agreed := estimates.agreement:
        lines += [
            ("agreement, forward", _share(agreed.forward)),
            ("agreement, backward", _share(agreed.backward)),
            ("agreement, strict", _share(agreed.strict)),
            ("agreement, summed", _share(agreed.summed)),
            *([("right on decided rows", _rates(agreed.rates))] if agreed.rates else []),
            ("Cohen's kappa", _kappa(agreed.kappa_interval)),
        ]
    if calibration := estimates.calibration:
        lines.append(("expected calibration error", f"{calibration.expected_error:.4f}"))
    return lines


def _rates(rates: JudgeRates) -> str:
    of_a = f"{rates.right_of_A:,.0f} of {rates.labelled_A:,.0f} labelled A"
    return f"{of_a}, {rates.right_of_B:,.0f} of {rates.labelled_B:,.0f} labelled B"


def _kappa(kappa: BeyondChance | None) -> str:
    if kappa is None:
        return "not defined"
    if kappa.low is None:
        return f"{kappa.estimate:.3f}"
    return f"{kappa.estimate:.3f}  [{kappa.low:.3f} to {kappa.high:.3f}]"


def _share(share: float | None) -> str:
    return "-" if share is None else percent(share)


def _p(value: float | None) -> str:
    return "-" if value is None else p_value(value)


def _cells(part: Slice) -> tuple[str, ...]:
    rate = "too few rows" if part.win_rate is None else quoted_interval(part.win_rate)
    return part.category or "(none)", str(part.rows), rate, _p(part.p_holm)
