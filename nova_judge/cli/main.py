"""The entry point `nova-judge`: the list of commands; our errors become one clear message."""

import ast
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from nova_judge.cli.terminal import Console, accept_any_text, say
from nova_judge.errors import NovaJudgeError
from nova_judge.partitions import settle_region
from nova_judge.version import __version__

EXIT_ERROR = 3
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
"""Every command, by the table of the README that lists it."""
COMMANDS: Final = tuple(name for names in PANELS.values() for name in names)
_GROUPS: Final = {
    "local": "Evaluate on this machine: no AWS, no Docker.",
    "runs": "The runs of a stage: list, show, watch, cancel, retry, logs, open, rm.",
    "endpoints": "Start, stop and list the candidates' endpoints.",
    "prepare": "Make an input file of a public question set.",
    "datasets": "Data sets in SageMaker's AI registry.",
    "scorers": "Scorers in SageMaker's AI registry.",
}
"""Commands that are groups of commands: `app` of their module, or of the registry's their own."""
_MODULES: Final = {"import": "import_", "datasets": "registry", "scorers": "registry"}
"""Commands whose module has another name."""


class Commands(TyperGroup):
    """Lists the commands without importing their modules, and imports the one that is called."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 (typer's own)
        super().__init__(**settings)
        self.commands.update((name, TyperCommand(name)) for name in COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        if cmd_name not in COMMANDS:
            return None
        panel = next(panel for panel, names in PANELS.items() if cmd_name in names)
        return TyperCommand(cmd_name, help=summary_of(cmd_name), rich_help_panel=panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name)), rest


def load_command(name: str) -> Any:  # noqa: ANN401 (typer's own)
    """The command of this name, or the group of commands, from its module."""
    contents = import_module(f"nova_judge.cli.{_module_of(name)}")
    if name in _GROUPS:
        group = get_group(getattr(contents, name, None) or contents.app)
        group.help = _GROUPS[name]
        return group
    one = typer.Typer(add_completion=False, rich_markup_mode="rich")
    one.command(name, cls=getattr(contents, "COMMAND_CLASS", None))(contents.command)
    return get_command(one)


def _module_of(name: str) -> str:
    return _MODULES.get(name, name.replace("-", "_"))


def summary_of(name: str) -> str:
    """The first sentence of a command's help, read without importing what the command needs."""
    if name in _GROUPS:
        return _GROUPS[name]
    source = Path(__file__).with_name(f"{_module_of(name)}.py").read_text("utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    own = next(function for function in functions if function.name == "command")
    return " ".join((ast.get_docstring(own) or "").partition("\n\n")[0].split())


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
            Console(stderr=True).print(escape(traceback.format_exc()))
    sys.exit(EXIT_ERROR)


def _tell(kind: str, message: str) -> None:
    Console(stderr=True).print(f"[bold red]{kind}[/]: {escape(message)}")


if __name__ == "__main__":
    main()
