"""The list of commands: it costs no import, and says of each what the command itself says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import COMMANDS, PANELS, app, load_command, summary_of
from tests.made.jobs import post
from tests.made.runs import generated_rows, write_run

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_by_the_first_sentence_of_its_own_help(name):
    own = " ".join(load_command(name).help.split("\n\n")[0].split())
    assert own == summary_of(name)


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


def test_every_command_stands_in_the_panel_of_its_table_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    tables = readme.partition("## Commands")[2].partition("## What has been tested")[0]
    for panel, names in PANELS.items():
        table = tables.partition(f"| {panel.lower()} |")[2].partition("\n\n")[0]
        for name in names:
            assert re.search(rf"`{name}[` ]", table), (
                f"{name} is not in the table `{panel.lower()}`"
            )
    shown = CliRunner().invoke(app, ["--help"]).output
    assert [panel for panel in PANELS if panel in shown] == list(PANELS)


@pytest.mark.parametrize(
    ("words", "offered"),
    [("nova-judge lead", "leaderboard"), ("nova-judge gate --min-w", "--min-win-rate")],
)
def test_a_shell_completes_commands_and_their_options(words, offered):
    script = "from nova_judge.cli.main import app; app(prog_name='nova-judge')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            "_NOVA_JUDGE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert offered in done.stdout.split(), done.stderr


def test_commands_that_read_a_run_or_a_file_print_json(tmp_path):
    run = write_run(tmp_path / "r1", generated_rows(30))
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"prompt": "q", "response_A": "a", "response_B": "b"}\n{"prompt": ""}\n')

    def printed(*arguments):
        done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
        return json.loads(done.stdout)

    assert printed("report", run)["run_id"] == "r1"
    assert printed("gate", run)["outcome"] in ("pass", "worse", "inconclusive", "not evaluated")
    assert printed("rows", run, "--row", 2)[0]["row"]["id"] == "q3"
    assert printed("history", tmp_path)["series"][0][0]["metrics"]["run_id"] == "r1"
    exported = printed("export", run, "--out", tmp_path / "dpo.jsonl")
    assert exported["records"] + sum(exported["left_out"].values()) == 30
    checked = printed("validate", pairs)
    assert (checked["usable"], checked["rejected"][0]["line"]) == (1, 2)
    archive = post(tmp_path / "job/output.tar.gz")
    assert printed("import", archive, "--out", tmp_path / "post")["words"] == "Inconclusive"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_number_of_a_command_has_two_bounds_within_which_nothing_is_infinite(name):
    command = load_command(name)
    for each in getattr(command, "commands", {"": command}).values():
        numbers = [p for p in each.params if p.type_descriptor.annotation in (float, float | None)]
        assert [p.name for p in numbers if p.min is None or p.max is None] == []
