"""The entry point `nova-judge`: one line per command; our errors become one clear message."""

import os
import sys
import traceback
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from nova_judge.cli.terminal import Console, accept_any_text, say
from nova_judge.errors import NovaJudgeError
from nova_judge.region import settle_region
from nova_judge.version import __version__

EXIT_ERROR = 3
COMMANDS: Final[dict[str, str]] = {
    "validate": "Read a file as a run would: how many rows can be used, and why others cannot.",
    "submit": "Start runs in a deployed stage, and with --wait fetch their reports.",
    "request": "Print the request of a run's first job and the YAML that its container would read.",
    "estimate": "Print what a run would cost and how long it would take, position by position.",
    "where": "Print the account and region that commands work in.",
    "doctor": "Check account, stacks, quotas, models and input before anything is paid.",
    "verify": "Check everything about a deployed stage that can be checked, and write it down.",
    "runs": "The runs of a stage: list, show, watch, cancel, retry, logs, open, rm.",
    "costs": "Add up estimated and metered costs of the runs of a stage.",
    "stop": "Stop everything of a stage that costs money while it runs.",
    "report": "Print the result of a run and where its page is; write the page where it is "
    "missing.",
    "review": "Label rows of a run on a local page, blind; the report then includes the labels.",
    "import": "Make a run folder and a report of any Nova judge job, own data or Bedrock "
    "evaluation.",
    "gate": "Say in one line if B may replace A.",
    "history": "List the runs below a folder and how the win rate of B moved.",
    "serve": "Serve the reports below a folder or in a bucket, read-only, on loopback.",
    "stats": "Win rate, verdict, positions, agreement, calibration and more for a file of "
    "judgments.",
    "plan": "Say how many pairs find a difference, or what difference a number of pairs can find.",
    "leaderboard": "Rank the candidates of several runs by Bradley-Terry strength, with intervals.",
    "audit": "Recompute every figure from the rows and list each that does not hold.",
    "compare": "Say what candidate B gained or lost since the first run, and what is only noise.",
    "export": "Write training data: TRL's dpo, sft, kto, reward, Bedrock's bedrock-sft, Nova's "
    "nova-dpo.",
    "reweight": "New verdicts, win rate and figures from the stored judgments under other weights.",
    "rows": "Print judged rows: verdicts, weighted scores, criteria and justifications.",
    "prepare": "Make an input file of a public question set.",
    "score": "Score the answers of a file with a scorer of your own, as AWS's container would call "
    "it.",
    "cross-check": "Show how often judges agree on the same pairs, beyond chance, and where "
    "they differ.",
    "judge-check": "Measure how far judges can be trusted: accuracy, bias to position and length, "
    "consistency.",
    "local": "Evaluate on this machine: no AWS, no Docker.",
    "endpoints": "Start, stop and list the candidates' endpoints.",
    "datasets": "Data sets in SageMaker's AI registry.",
    "scorers": "Scorers in SageMaker's AI registry.",
}
"""Every command as `--help` lists it, so that its module is imported only to run it."""
PANELS: Final[dict[str, tuple[str, ...]]] = {
    "Before a run": (
        *("validate", "judge-check", "plan", "request", "estimate", "doctor", "verify", "where"),
        *("submit", "local", "runs", "costs", "endpoints", "stop"),
    ),
    "After a run": (
        *("report", "import", "serve", "history", "gate", "rows", "reweight", "audit", "review"),
        *("compare", "leaderboard", "cross-check", "export", "stats"),
    ),
    "Other": ("prepare", "score", "datasets", "scorers"),
}
"""The commands by the table of the README that lists them."""
_GROUPS = {
    "local": ("local", "app"),
    "prepare": ("prepare", "app"),
    "endpoints": ("endpoints", "app"),
    "runs": ("runs", "app"),
    "datasets": ("registry", "datasets"),
    "scorers": ("registry", "scorers"),
}
_MODULES = {"import": "import_"}
"""Commands whose name cannot be a module's."""


class Commands(TyperGroup):
    """Lists the commands without their modules, and imports the one that is called."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 (typer's own)
        super().__init__(**settings)
        panels = {name: panel for panel, names in PANELS.items() for name in names}
        for name in dict.fromkeys((*panels, *COMMANDS)):
            self.commands[name] = TyperCommand(
                name, help=COMMANDS[name], rich_help_panel=panels.get(name, "Other")
            )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name)), rest


def load_command(name: str) -> Any:  # noqa: ANN401 (typer's own)
    """The command of this name, or the group of commands, from its module."""
    if name in _GROUPS:
        module, attribute = _GROUPS[name]
        return get_group(getattr(import_module(f"nova_judge.cli.{module}"), attribute))
    module = _MODULES.get(name, name.replace("-", "_"))
    contents = import_module(f"nova_judge.cli.{module}")
    one = typer.Typer(add_completion=False, rich_markup_mode="rich")
    one.command(name, cls=getattr(contents, "COMMAND_CLASS", None))(contents.command)
    return get_command(one)


app = typer.Typer(
    name="nova-judge",
    cls=Commands,
    help="Find which of two models answers better, with numbers that hold.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        say(f"nova-judge {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Find which of two models answers better, with numbers that hold."""


def main() -> None:
    """Run the command line. Whatever breaks ends with 3: `gate` and `audit` give 1 a meaning."""
    accept_any_text()
    settle_region(os.environ)
    try:
        app()
    except NovaJudgeError as error:
        _tell(type(error).__name__, str(error))
    except OSError as error:
        where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _tell("File error", f"{where}. Check the path, and that its folder exists.")
    except Exception as error:
        import duckdb  # noqa: PLC0415 (it costs as much as the rest of a command's start)

        if isinstance(error, duckdb.Error):
            _tell("File error", f"{error}. Fetch the file again, with the whole report folder.")
        else:  # a fault of ours, which must not look like a finding of the command
            Console(stderr=True).print(escape(traceback.format_exc()), highlight=False)
    sys.exit(EXIT_ERROR)


def _tell(kind: str, message: str) -> None:
    Console(stderr=True).print(f"[bold red]{kind}[/]: {escape(message)}", highlight=False)


if __name__ == "__main__":
    main()
