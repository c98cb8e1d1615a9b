"""`nova-judge local run`: the whole evaluation on this machine."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from nova_judge.cli.arguments import AsJson, Join, Map, NameA, NameB, RecipeOption, names_of
from nova_judge.cli.command_input import source
from nova_judge.cli.result import print_result, result_document
from nova_judge.cli.terminal import Console, print_json
from nova_judge.errors import LocalModeError
from nova_judge.extras import require
from nova_judge.findings.saved_report import SavedReport, open_report
from nova_judge.kinds.recipes import read_recipe
from nova_judge.records import Candidate
from nova_judge.text import count_of, one_line

if TYPE_CHECKING:
    from nova_judge_local.engine.emulator import Emulator
    from nova_judge_local.local_run import RunRequest, RunResult

INTERRUPTED = 130
STOPPED = "Stopped; nothing is left running."
_LINE_EVERY_S = 30.0
_EXAMPLE = 600  # characters of a judge's output

app = typer.Typer(no_args_is_help=True)


LocalInputFile: TypeAlias = Annotated[
    Path | None,
    typer.Argument(
        metavar="INPUT", help="A file of rows; none for benchmarks, which bring their own."
    ),
]
LocalA: TypeAlias = Annotated[
    str | None,
    typer.Option("--a", help="openai:URL#MODEL or bedrock:MODEL_ID: a model that answers as A."),
]
LocalB: TypeAlias = Annotated[
    str | None,
    typer.Option("--b", help="openai:URL#MODEL or bedrock:MODEL_ID: a model that answers as B."),
]
LocalJudge: TypeAlias = Annotated[
    str,
    typer.Option(help="reference, recorded:FILE, openai:URL#MODEL or bedrock:MODEL_ID."),
]
LocalAnswers: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Recorded answers of the candidates: a file, or a folder of files."),
]
LocalEndpoints: TypeAlias = Annotated[
    str | None,
    typer.Option(help="openai:URL\\[#MODEL]: a server that answers for the candidates."),
]
LocalOut: TypeAlias = Annotated[Path, typer.Option(help="The folder that gets the run.")]
LocalKeep: TypeAlias = Annotated[
    bool, typer.Option("--keep", help="Keep the emulated account running until Ctrl-C.")
]
LocalConcurrency: TypeAlias = Annotated[
    int, typer.Option(min=1, max=64, help="The most rows that the judge's model is asked at once.")
]
LocalTimeout: TypeAlias = Annotated[
    float, typer.Option(min=1, max=86_400, help="Seconds that one answer of a server may take.")
]
LocalMaxTokens: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="The most tokens of one judgment. Default: 1024, with a rubric 4096."),
]
LocalFresh: TypeAlias = Annotated[
    bool, typer.Option("--fresh", help="Ask models again, also for what is kept.")
]


@app.command("run")
def command(
    input_file: LocalInputFile = None,
    columns: Map = None,
    join: Join = None,
    name_a: NameA = "",
    name_b: NameB = "",
    recipe: RecipeOption = "pairwise",
    a: LocalA = None,
    b: LocalB = None,
    judge: LocalJudge = "reference",
    answers: LocalAnswers = None,
    endpoints: LocalEndpoints = None,
    out: LocalOut = Path("out/local"),
    keep: LocalKeep = False,
    concurrency: LocalConcurrency = 64,
    timeout: LocalTimeout = 600.0,
    max_tokens: LocalMaxTokens = None,
    fresh: LocalFresh = False,
    as_json: AsJson = False,
) -> None:
    """Run the real stacks, state machine and functions on an emulated account; print the result.

    The judge `reference` compares both answers with the row's `reference` by token F1. It is a
    stand-in and says so in the report; with openai: or bedrock: a real model judges. Its verdicts
    and the answers of --a and --b are kept by content beside the output folder, so that a second
    run asks for what is missing.

    Examples:

      nova-judge local run questions.jsonl --a openai:http://localhost:11434/v1#qwen3:4b \\
        --b openai:http://localhost:11434/v1#qwen3:8b --judge openai:http://localhost:11434/v1#M

      nova-judge local run examples/pairs.jsonl --recipe pairwise --out out/pairs

      nova-judge local run prompts.jsonl --recipe my.yaml --endpoints openai:http://localhost:8000/v1

      nova-judge local run pairs.jsonl --judge openai:http://localhost:11434/v1#llama3.3
    """
    require("local", "ministack")
    from nova_judge_local.emulator_settings import JudgeCalls  # noqa: PLC0415 - an extra
    from nova_judge_local.local_run import KEPT, RunRequest  # noqa: PLC0415 - an extra

    kept = None if fresh else str(out.resolve().parent / KEPT)
    calls = JudgeCalls(concurrency=concurrency, timeout_s=timeout, max_tokens=max_tokens, kept=kept)
    with _until_stopped(), source(input_file, read_recipe(recipe), columns, join) as lines:
        names, models = names_of(name_a, name_b), _named(a, b)
        request = RunRequest(lines, recipe, out, judge, answers, endpoints, calls, names, models)
        _run(request, keep=keep, as_json=as_json)


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run in order, with an exit code of their own."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        Console().print(STOPPED)
        raise typer.Exit(INTERRUPTED) from None


def _run(request: "RunRequest", *, keep: bool, as_json: bool = False) -> None:
    from nova_judge_local.local_run import run  # noqa: PLC0415 - an extra

    console = Console(stderr=as_json)
    with _Display(console, request.out) as display:
        result = run(request, display, display.hold if keep else None)
    if keep and result.status == "SUCCEEDED":
        console.print(STOPPED)
        return
    _show(console, result)
    if as_json:
        print_json(result_document(open_report(result.folder), _page(result.folder)))


def _named(a: str | None, b: str | None) -> dict[Candidate, str]:
    given: dict[Candidate, str | None] = {"A": a, "B": b}
    return {side: spec for side, spec in given.items() if spec is not None}


class _Display:
    """One line per step, with the time it took; the state and the rows of the evaluation live."""

    def __init__(self, console: Console, out: Path) -> None:
        self._console = console
        self._out = out
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task: TaskID | None = None
        self._last = self._judging = time.monotonic()
        self._title = ""

    def __enter__(self) -> "_Display":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        """Print a line above those that change."""
        self._console.print(escape(line))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A line that spins while its block runs."""
        self._title = title
        self._task = self._progress.add_task(title, total=1)
        yield
        self._progress.update(self._task, description=self._title, completed=1)

    def state(self, name: str, answered: int, judged: int, rows: int) -> None:
        """Show the state machine's state, what is done of how many, and the time that is left.

        Where no terminal shows the line, one is printed every 30 s.
        """
        parts = [
            name,
            count_of(answered, "answer") if answered else "",
            self._judged(judged, rows),
        ]
        progress = ", ".join(part for part in parts if part)
        if self._task is not None:
            self._progress.update(self._task, description=f"{self._title}: {progress}")
        if not self._console.is_terminal and time.monotonic() - self._last >= _LINE_EVERY_S:
            self._last = time.monotonic()
            self._console.print(f"{self._title}: {progress}")

    def _judged(self, judged: int, rows: int) -> str:
        if not judged:
            self._judging = time.monotonic()
            return ""
        rate = judged / max(time.monotonic() - self._judging, 1.0)
        left = max(rows - judged, 0) / rate
        return (
            f"{judged:,} of {count_of(rows, 'row')} judged, {rate:.1f} a second, {left:.0f} s left"
        )

    def hold(self, emulator: "Emulator") -> None:
        """Print the result, keep the account up until Ctrl-C and say how to reach it."""
        self._progress.stop()
        if _page(self._out) is not None:
            _print(self._console, self._out)
        self._console.print("\nThe emulated account is up until you press Ctrl-C. To look around:")
        for name, value in emulator.environment().items():
            self._console.print(f"  export {name}={value}")
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(1)


def _show(console: Console, result: "RunResult") -> None:
    if result.status != "SUCCEEDED":
        if page := _page(result.folder):
            console.print(f"The report says why: {escape(str(page))}")
        lines = [f"The execution ended as {result.status}."]
        lines += [f"{result.error}: {result.cause}"] if result.error else []
        lines += [f"The stand-in says: {result.refused}"] if result.refused else []
        lines += [f"What functions and jobs wrote: {_relative(result.logs)}"] if result.logs else []
        raise LocalModeError("\n".join(lines))
    report = _print(console, result.folder)
    if report.metrics.rows.judged == 0:
        raise LocalModeError(f"Not one row was judged. {_example(report)}".rstrip())


def _print(console: Console, folder: Path) -> SavedReport:
    report = open_report(folder)
    console.print()
    print_result(console, report, _page(folder))
    return report


def _example(report: SavedReport) -> str:
    """One output of the judge, so that its fault can be seen."""
    if report.metrics.scores:
        return ""
    for row in report.rows():
        if text := row.judgment.forward_output or row.judgment.backward_output:
            return f"The judge wrote for line {row.row.line}: {one_line(text, _EXAMPLE)}"
    return ""


def _page(folder: Path) -> Path | None:
    page = folder / "report" / "report.html"
    return Path(_relative(page)) if page.is_file() else None


def _relative(path: Path) -> str:
    return os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)
