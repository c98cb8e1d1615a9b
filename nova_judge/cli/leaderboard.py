"""`nova-judge leaderboard`: many runs, one table of candidates."""

from collections import defaultdict
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from nova_judge.cli.arguments import AsJson, Level
from nova_judge.cli.terminal import Console, bare_table, print_json
from nova_judge.errors import SavedReportError
from nova_judge.findings.bradley_terry import Leaderboard, Match, Standing, leaderboard, prompts_of
from nova_judge.findings.comparability import UNNAMED
from nova_judge.findings.merge_gate import saved_contest
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.saved_report import SavedReport
from nova_judge.findings.trends import other_data
from nova_judge.parquet import has_rows
from nova_judge.records import CANDIDATES, Candidate
from nova_judge.statistics.outcomes import profiles_from_dict
from nova_judge.steps.import_job import report_at
from nova_judge.text import count_of


def command(
    runs: Annotated[
        list[str],
        typer.Argument(help="Runs' folders, their metrics.json, or s3://bucket/runs/<id>/."),
    ],
    level: Level = 0.95,
    as_json: AsJson = False,
) -> None:
    """Rank the candidates of several runs by Bradley-Terry strength, with intervals.

    A candidate is known by its name. It gets a rank only where its interval overlaps no other
    one's; candidates that no chain of runs connects stand in tables of their own.

    Examples:

      nova-judge leaderboard runs/haiku runs/sonnet runs/qwen

      nova-judge leaderboard runs/*/report/metrics.json --json
    """
    reports = list({one.metrics.run_id: one for one in map(report_at, runs)}.values())
    board = leaderboard([_match(report) for report in reports], level)
    notes = _notes(reports, board)
    if twice := len(runs) - len(reports):
        notes.append(
            f"{count_of(twice, 'run was', 'runs were')} given more than once; each counts once"
        )
    if as_json:
        print_json({**msgspec.structs.asdict(board), "notes": notes})
        return
    console = Console()
    columns = ("rank", "candidate", "against the average", "rows", "strength")
    tables: dict[int, list[Standing]] = defaultdict(list)
    for standing in board.standings:
        tables[standing.component].append(standing)
    for standings in tables.values():
        interval = f"{100 * level:g} % interval"
        console.print(bare_table((*columns, interval), map(_cells, standings)))
    for note in notes:
        console.print(f"[dim]{escape(note)}[/]")


def _match(report: SavedReport) -> Match:
    report.require_two_candidates()
    metrics = report.metrics
    a, b = (_name(metrics, side) for side in CANDIDATES)
    if metrics.one_order:
        raise SavedReportError(
            f"{report.folder}: run {metrics.run_id} has one verdict per row ({metrics.basis}): "
            "a rank needs both orders. Leave the run out."
        )
    if metrics.profiles is None or a is None or b is None:
        raise SavedReportError(
            f"{report.folder}: run {metrics.run_id} compared no answers "
            f"(status {metrics.status}, kind {metrics.kind}). Leave it out."
        )
    if blocked := metrics.blocked_by:
        raise SavedReportError(
            f"{report.folder}: the verdict of run {metrics.run_id} is blocked "
            f"({'; '.join(blocked)}): a rank cannot rest on it. Leave the run out."
        )
    profiles = profiles_from_dict(metrics.profiles)
    prompts = prompts_of(report.rows()) if has_rows(report.evidence) else None
    return Match(a, b, profiles, prompts, saved_contest(metrics))


def _name(metrics: Metrics, side: Candidate) -> str | None:
    """A candidate's name; one without any is another one in every input."""
    name = metrics.name(side)
    if name not in UNNAMED:
        return name
    file = metrics.input.uri.rpartition("/")[2]
    return f"{name} of {file} ({(metrics.input.version or 'no version')[:8]})"


def _notes(reports: list[SavedReport], board: Leaderboard) -> list[str]:
    notes = [board.method]
    judges = sorted({report.metrics.judge.model for report in reports})
    if len(judges) > 1:
        notes.append(f"judged by different judges, whose taste differs: {', '.join(judges)}")
    inputs = _inputs(reports)
    if inputs > 1:
        notes.append(f"over {inputs} different inputs: strengths mix what these ask for")
    same = [r.metrics.run_id for r in reports if r.metrics.name("A") == r.metrics.name("B")]
    if same:
        notes.append(f"both candidates have one name, so nothing is compared: {', '.join(same)}")
    without = [r.metrics.run_id for r in reports if not has_rows(r.evidence)]
    if without and len(reports) > 1:
        notes.append(
            f"only metrics.json is at hand of {', '.join(without)}: whether they share prompts "
            "with other runs is not known, and their intervals may be too narrow"
        )
    if board.not_compared:
        notes.append(f"no judged row against another: {', '.join(board.not_compared)}")
    if board.components > 1:
        notes.append(f"{count_of(board.components, 'group')} of candidates that no run connects")
    return notes


def _inputs(reports: list[SavedReport]) -> int:
    different: list[SavedReport] = []
    for report in reports:
        if all(other_data(earlier, report) for earlier in different):
            different.append(report)
    return len(different)


def _cells(one: Standing) -> tuple[str, ...]:
    return (
        str(one.rank) if one.rank else f"{one.best_rank}-{one.worst_rank}",
        one.name,
        f"{100 * one.win_rate:.1f} %",
        f"{one.rows:,}",
        f"{one.strength:+.2f}",
        f"{one.low:+.2f} to {one.high:+.2f}",
    )
