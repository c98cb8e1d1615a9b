"""Nothing that files, models or judges say steers the terminal, whichever command shows it."""

import ast
import io
import json
import re
import sys
from pathlib import Path

import msgspec
import orjson
import pytest
from msgspec.structs import replace
from rich.table import Table

from nova_judge.cli.main import main
from nova_judge.cli.terminal import Console, print_json
from nova_judge.findings.metrics_record import Metrics
from nova_judge.records import JudgedRow, Rubric
from tests.hostile.bounds import ROOT
from tests.made import runs

POISON = (
    "\x1b[2J\x1b[31m\x1b]0;title\x07\x1b]8;;http://x\x1b\\\x9b2J\x9d0;x\x9c\x90q\x9c\x85\x8d"
    "\x7f\x08\x08\r\x00"
    "\u202egnp\u202c\u2066x\u2069\u2028\ufeff"
)
STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2060-\u206f\ufeff]")


def poisoned(metrics: bytes) -> bytes:
    """Every text of a report with escapes in it, but for those that take a fixed set of words."""
    document = orjson.loads(metrics)
    changed = 0
    for holder, key in _texts(document):
        if key == "kind":  # looked up by commands
            continue
        text = holder[key]
        holder[key] = f"{text}{POISON}"
        try:
            msgspec.json.decode(orjson.dumps(document), type=Metrics)
            changed += 1
        except msgspec.ValidationError:
            holder[key] = text
    assert changed > 20
    return orjson.dumps(document)


def _texts(value: object) -> list[tuple[dict | list, str | int]]:
    """Where texts stand in a document: what holds each, and under which key."""
    if not isinstance(value, dict | list):
        return []
    parts = list(value.items() if isinstance(value, dict) else enumerate(value))
    own = [(value, key) for key, part in parts if isinstance(part, str)]
    return own + [place for _, part in parts for place in _texts(part)]


def _poisoned_row(judged: JudgedRow) -> JudgedRow:
    texts = {
        name: f"{getattr(judged.row, name)}{POISON}"
        for name in ("id", "prompt", "response_A", "response_B", "category")
    }
    judgment = judged.judgment
    if isinstance(judgment.rubric, Rubric):
        criteria = tuple(
            replace(one, justification_A=f"{one.justification_A}{POISON}")
            for one in judgment.rubric.criteria
        )
        judgment = replace(judgment, rubric=replace(judgment.rubric, criteria=criteria))
    return JudgedRow(row=replace(judged.row, **texts), judgment=judgment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two runs, a file of judgments, an input file and a recipe, all poisoned."""
    place = tmp_path_factory.mktemp("poisoned")
    for name in ("one", "two"):
        rows = [_poisoned_row(row) for row in runs.generated_rows(40)]
        run = runs.write_run(place / name, rows, candidate=f"model{POISON}")
        metrics = run / "report" / "metrics.json"
        metrics.write_bytes(poisoned(metrics.read_bytes()))
    line = {"id": f"i{POISON}", "forward": "A>B", "backward": "A>B", "category": f"c{POISON}"}
    broken = {"id": "i", "forward": {"x": POISON}, f"k{POISON}": POISON}
    lines = [json.dumps(one) for one in (*[line] * 30, broken)]
    (place / "judgments.jsonl").write_text("\n".join(lines))
    pair = {"prompt": f"p{POISON}", "response_A": "a", "response_B": "b", f"k{POISON}": 1}
    pairs = [json.dumps(pair)] * 3
    (place / "pairs.jsonl").write_text("\n".join([*pairs, f"{{{POISON}"]))
    (place / "recipe.yaml").write_text('kind: "x\\e[2J\\x9b2J"\n"judg\\e[2J": 1\n')
    return place


COMMANDS = {
    "report": ["report", "one"],
    "rows": ["rows", "one", "--limit", "3"],
    "gate": ["gate", "one"],
    "audit": ["audit", "one"],
    "compare": ["compare", "one", "two"],
    "history": ["history", "."],
    "leaderboard": ["leaderboard", "one", "two"],
    "cross-check": ["cross-check", "one", "two", "--out", "page.html"],
    "reweight": ["reweight", "one"],
    "export": ["export", "one", "--format", "dpo", "--out", "dpo.jsonl"],
    "stats": ["stats", "judgments.jsonl"],
    "stats of broken lines": ["stats", "pairs.jsonl"],
    "validate": ["validate", "pairs.jsonl"],
    "a recipe": ["estimate", "pairs.jsonl", "--recipe", "recipe.yaml"],
    "a missing file": ["stats", f"x{POISON.replace(chr(0), '')}.jsonl"],
    "a missing run": ["report", f"x{POISON.replace(chr(0), '')}"],
}


JSON_TOO = {"audit", "compare", "leaderboard", "cross-check", "reweight", "stats"}
BAD = {"stats of broken lines", "a recipe", "a missing file", "a missing run"}


@pytest.mark.parametrize(
    ("command", "as_json"),
    [(name, False) for name in COMMANDS] + [(name, True) for name in sorted(JSON_TOO)],
)
def test_no_command_lets_a_text_through_that_steers(command, as_json, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    arguments = ["nova-judge", *COMMANDS[command], *(["--json"] if as_json else [])]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit):
        main()
    shown = capsys.readouterr()
    for stream in (shown.out, shown.err):
        assert STEERS.findall(stream) == []
    assert ("Error: " in shown.err) == (command in BAD), shown.err
    assert "Traceback" not in shown.err


def test_styles_keep_their_codes_and_texts_lose_theirs():
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, color_system="standard")
    table = Table(title=f"[red]t[/]{POISON}")
    table.add_column(f"c{POISON}")
    table.add_row(f"[bold]x[/]{POISON}")
    console.print(table, f"[green]:bomb:[/]{POISON}")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", written.getvalue())
    assert "\x1b[32m:bomb:" in written.getvalue()
    assert "\x1b[1mx" in written.getvalue()
    assert STEERS.findall(plain) == []
    assert "[31m" in plain  # what the text brought, without its escape


def test_a_json_document_keeps_what_it_may_not_show(capsys):
    print_json({"a": POISON, "b": "é😀"})
    shown = capsys.readouterr().out
    assert STEERS.findall(shown) == []
    assert json.loads(shown) == {"a": POISON, "b": "é😀"}


def test_a_terminal_of_another_encoding_is_no_failure(monkeypatch):
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="latin-1", errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", stream)
    print_json({"a": "\u4f60\U0001f600"})
    Console(file=stream).print("é → 你")
    stream.flush()
    *document, text = written.getvalue().decode("latin-1").splitlines()
    assert json.loads("".join(document)) == {"a": "\u4f60\U0001f600"}
    assert text == "é \\u2192 \\u4f60"


def test_every_command_writes_through_the_one_console():
    """No module of the commands makes a console of rich's, prints, or echoes."""
    for path in (ROOT / "nova_judge/cli").glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        if path.name != "terminal.py":
            assert "rich.console" not in imported, path.name
            assert not called & {"print", "typer.echo", "click.echo", "sys.stdout.write"}, path.name
