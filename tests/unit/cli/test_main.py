"""The list of commands: it costs no import, and says of each what the command itself says."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import COMMANDS, app, load_command


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_by_the_first_sentence_of_its_own_help(name):
    own = " ".join(load_command(name).help.split("\n\n")[0].split())
    assert own == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_its_help_and_an_example(name):
    shown = CliRunner().invoke(app, [name, "-h"])
    assert shown.exit_code == 0
    assert "Examples:" in shown.stdout or "Commands" in shown.stdout


def test_the_help_imports_no_command():
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from nova_judge.cli.main import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print(*sorted({'boto3', 'duckdb', 'numpy', 'nova_judge.cli.gate'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_mistyped_command_is_answered_with_the_nearest():
    assert "Did you mean 'gate'?" in CliRunner().invoke(app, ["gat"]).output
