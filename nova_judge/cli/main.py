"""The entry point `nova-judge`: one line a command; our errors become one clear message."""

import sys
import traceback

import duckdb
import typer
from rich.console import Console
from rich.markup import escape

from nova_judge.cli import (
    audit,
    compare,
    cross_check,
    doctor,
    endpoints,
    estimate,
    export,
    gate,
    history,
    leaderboard,
    local,
    plan,
    registry,
    report,
    request,
    reweight,
    rows,
    score,
    serve,
    stats,
    stop,
    submit,
    validate,
)
from nova_judge.errors import NovaJudgeError

EXIT_ERROR = 3

app = typer.Typer(
    name="nova-judge",
    help="Which of two models answers better, with numbers that hold.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root() -> None:
    """Which of two models answers better, with numbers that hold."""


app.command("validate")(validate.command)
app.command("submit")(submit.command)
app.command("request")(request.command)
app.command("estimate")(estimate.command)
app.command("doctor")(doctor.command)
app.command("stop")(stop.command)
app.command("report")(report.command)
app.command("gate", cls=gate.GateCommand)(gate.command)
app.command("history")(history.command)
app.command("serve")(serve.command)
app.command("stats")(stats.command)
app.command("plan")(plan.command)
app.command("leaderboard")(leaderboard.command)
app.command("audit")(audit.command)
app.command("compare")(compare.command)
app.command("export")(export.command)
app.command("reweight")(reweight.command)
app.command("rows")(rows.command)
app.command("score")(score.command)
app.command("cross-check")(cross_check.command)
app.add_typer(local.app, name="local")
app.add_typer(endpoints.app, name="endpoints")
app.add_typer(registry.datasets, name="datasets")
app.add_typer(registry.scorers, name="scorers")


def main() -> None:
    """Run the command line. Whatever breaks ends with 3: `gate` and `audit` give 1 a meaning."""
    try:
        app()
    except NovaJudgeError as error:
        _tell(type(error).__name__, str(error))
    except OSError as error:
        where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _tell("File error", f"{where}. Check the path, and that its folder exists.")
    except duckdb.Error as error:
        _tell("File error", f"{error}. Fetch the file again, with the whole report folder.")
    except Exception:  # a fault of ours, which must not look like a finding of the command
        traceback.print_exc()
    sys.exit(EXIT_ERROR)


def _tell(kind: str, message: str) -> None:
    Console(stderr=True).print(f"[bold red]{kind}[/]: {escape(message)}", highlight=False)


if __name__ == "__main__":
    main()
