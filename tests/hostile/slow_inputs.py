"""Inputs that make a careless reader slow or large; each case builds its input and reads it."""

import contextlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from nova_judge.errors import NovaJudgeError
from nova_judge.findings.judgment_file import read_judgment_file
from nova_judge.inputs.dataset import FROM_FILE, file_brings_answers, parse_line
from nova_judge.json_lines import Line
from nova_judge.kinds.recipes import load_recipe
from nova_judge.pairs.judge_output import judgment_of, read_judgments
from nova_judge.pairs.judge_reply import read_reply
from nova_judge.pairs.metrics_text import MetricsReader
from nova_judge.pairs.yaml_output import parse_rubric
from nova_judge.parquet import connect
from nova_judge.runs.results_json import read_job_metrics
from nova_judge.scores.text_metrics import bleu_counts, row_metrics
from nova_judge.statistics.evidence import markup_of
from nova_judge.text import one_line
from nova_judge.verdict_labels import ends_early, parse_verdict

LARGE = 3_000_000
"""Characters of a hostile text."""


def filled(part: str, size: int = LARGE) -> str:
    """`part` over and over, `size` characters in all."""
    return (part * (size // len(part) + 1))[:size]


VERDICTS = {
    "spaces in a label": "[[" + filled(" "),
    "spaces in labels": filled("[[ A > B ( ", LARGE),
    "spaces behind a relation": "[[A>" + filled(" ") + "B]]",
    "spaces before a closing bracket": "[[A>B" + filled(" ") + "x",
    "both bad": "[[A=B (" + filled("_ -") + "bad)]]",
    "open brackets": filled("["),
    "judge words on one line": filled("judg"),
    "judge words": filled("judgjudgjudgjudgjudgjudgjudgjudgjudgjudgjudgjudg\n"),
    "keys": filled("verdict label judge preference winner decision \n"),
    "blanks": filled(" \t"),
    "blanks by line": filled(" " * 200 + "\n"),
    "stars": "verdict" + filled("*"),
    "colons": filled("verdict:"),
    "labels": filled("[[A>B]]"),
    "quotes": "verdict: A>B" + filled("'\"]"),
    "thoughts": filled("<think>"),
    "thoughts that end": filled("<think></think>"),
    "data keys": filled('verdict" : "'),
    "data keys and spaces": filled("verdict" + "-" * 30),
    "tags": filled("<verdict> \n"),
    "boxes": filled("boxed{ "),
    "escapes": filled("\\u003"),
    "backslashes": filled("\\"),
    "combining marks": "a" + filled("\u0300\u0316", 300_000),
    "ligatures": filled("\ufdfa", 300_000),
    "preferred because": filled("preferred answer is "),
}
RUBRICS = {
    "anchors": "a: &a [1,1,1,1,1,1,1,1,1]\n"
    + "\n".join(
        f"{n}: &{n} [{','.join(['*' + p] * 9)}]"
        for p, n in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "brackets": "[" * 499 + filled("a,", 400_000),
    "dashes": filled("- ", 400_000),
    "question marks": filled("? ", 400_000),
    "colons": filled("a: ", 400_000),
    "nested by indent": "\n".join(" " * n + "a:" for n in range(2_000)),
    "fences": filled("```yaml\n"),
    "fences that do not close": filled("```yaml\ncriteria:\n", LARGE),
    "blank lines": "criteria:\n" + filled("   \n"),
    "label lines": filled("a: [[\n"),
    "justifications": "criteria:\n" + filled("  justification_A: a: b\n"),
    "a quoted text": 'criteria: "' + filled("\\n"),
    "a folded text": "criteria: >\n" + filled(" a\n"),
    "tags": filled("!!a ", 400_000),
    "keys": "criteria:\n" + "".join(f"  k{n}: {{weight: 1}}\n" for n in range(60_000)),
    "comments": filled("# a\n"),
    "braces": filled("{a: ", 200_000),
}


def many_keys(count: int) -> str:
    """Metrics of so many keys."""
    return str({f"key_{number}": number for number in range(count)})


REPLIES = {
    "open braces": filled("{"),
    "open objects": filled('{"verdict":'),
    "braces": filled("{}"),
    "lists of reasons": '{"reasons": ' + filled("[", 200_000) + "}",
    "keys": '{"reasons": {"a": 1' + filled(', "a": 1') + '}, "verdict": "A>B"}',
}
METRICS = {
    "20,000 keys": many_keys(20_000),
    "200,000 keys": many_keys(200_000),
    "20,000 criteria": str({"criteria_breakdown": {f"k{n}": {"weight": 1} for n in range(20_000)}}),
    "20,000 fields of a criterion": str(
        {"criteria_breakdown": {"a": {f"k{n}": 1 for n in range(20_000)}}}
    ),
    "a long text": str({"predictions": ["A>B"], "forward_output": filled("it's \\ \n")}),
    "brackets": "[" * 200_000,
    "signs": "-" * 200_000 + "1",
    "a sum": "1+" * 60_000 + "1",
    "a long number": "{'a': " + "9" * 4_000_000 + "}",
    "numbers": "{'a': [" + filled("1e9,", 200_000) + "]}",
    "quotes": "{'a': " + filled("''", LARGE) + "}",
    "an open string": "{'a': '" + filled("\\'"),
    "backslashes": "{'a': '" + filled("\\"),
    "unicode names": "{'a': '" + filled("\\N{SNOWMAN}", 250_000) + "'}",
}
RECIPES = {
    "aliases": "kind: &k {"
    + ", ".join(f"k{n}: 1" for n in range(900))
    + "}\n"
    + "\n".join(f"x{n}: *k" for n in range(900)),
    "unknown keys": "\n".join(f"judg{n}: 1" for n in range(20_000)),
    "a long key": "judge" * 20_000 + ": 1",
    "a long kind": "kind: " + "llm_judge" * 20_000,
    "nested": "judge: " + "{nova: " * 400 + "}" * 400,
    "brackets": "kind: " + "[" * 100_000,
    "a long text": "kind: llm_judge\ndescription: " + filled("x "),
    "bomb": RUBRICS["anchors"],
}
LINES = {
    "keys": json.dumps({f"k{n}": 1 for n in range(60_000)}),
    "our keys": '{"prompt": "a"' + ', "prompt": "a"' * 60_000 + "}",
    "escaped keys": '{"prompt": "\\u0041"' + ', "\\u0070rompt": "a"' * 40_000 + "}",
    "nested": '{"prompt": ' + "[" * 400_000,
    "nested objects": '{"\\u0041": ' + '{"a":' * 150_000,
    "a long number": '{"prompt": "\\u0041", "id": ' + "9" * 1_000_000 + "}",
}
ANSWER = 200_000
"""Characters of a long answer: some 50,000 tokens."""
TEXTS = {
    "few words": (filled("a b c d ", ANSWER), filled("b a d c ", ANSWER)),
    "many words": tuple(
        " ".join(f"{n * step % 40_000:x}" for n in range(40_000)) for step in (1, 7)
    ),
    "one word": (filled("x", ANSWER), filled("y", ANSWER)),
    "digits": (filled("9", ANSWER), filled("8", ANSWER)),
    "numbers": (filled("1e9 ", ANSWER), filled("9e1-", ANSWER)),
    "signs": (filled(".,", ANSWER), filled("-.", ANSWER)),
    "articles": (filled("a-the ", ANSWER), filled("an the-", ANSWER)),
    "stars": (filled("**_", ANSWER), filled("# \n", ANSWER)),
}


def _row(judge: str) -> object:
    return judgment_of(
        {"criteria_breakdown": {}, "forward_output": judge, "backward_output": judge}
    )


def _own_table(columns: str, *, suffix: str = ".csv") -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"judgments{suffix}")
        path.write_text(columns)
        return read_judgment_file(path)


def _results(text: str) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "results.json")
        path.write_text(text)
        return read_job_metrics(path)


_VERDICTS = "SELECT 'A>B' AS forward, 'B>A' AS backward"
TABLES = {
    "long texts": f"{_VERDICTS}, repeat('x', 400000) AS t FROM range(3000)",
    "one long text": f"{_VERDICTS}, repeat('x', 60000000) AS t",
    "columns": "SELECT " + ", ".join(f"1 AS c{n}" for n in range(3_000)),
    "long verdicts": "SELECT repeat('[[ ', 100000) AS forward, 'B>A' AS backward FROM range(300)",
    "long metrics": "SELECT repeat('x', 400000) AS metrics, ['x'] AS predictions FROM range(1000)",
}
"""Small Parquet files that hold large tables."""


def write_table(name: str, target: Path) -> None:
    """Write one of `TABLES`; it takes memory of its own."""
    with connect() as connection:
        into = f"'{target}' (FORMAT parquet, COMPRESSION zstd)"
        connection.execute(f"COPY ({TABLES[name]}) TO {into}")


def read_table(path: Path) -> object:
    """What is read of a table: as judgments of the user's own, and as details of a judge job."""
    if "metrics" in path.stem:
        return Counter(type(one) for one in read_judgments(path))
    return read_judgment_file(path)


CASES: dict[str, Callable[[], object]] = {
    **{f"verdict: {name}": lambda t=t: parse_verdict(t) for name, t in VERDICTS.items()},
    **{f"end: {name}": lambda t=t: ends_early(t) for name, t in VERDICTS.items()},
    **{f"judge row: {name}": lambda t=t: _row(t[:LARGE]) for name, t in VERDICTS.items()},
    **{f"rubric: {name}": lambda t=t: parse_rubric(t) for name, t in RUBRICS.items()},
    **{f"reply: {name}": lambda t=t: read_reply(t, None) for name, t in REPLIES.items()},
    **{f"metrics: {name}": lambda t=t: MetricsReader().read(t) for name, t in METRICS.items()},
    **{f"recipe: {name}": lambda t=t: load_recipe(t, file="a.yaml") for name, t in RECIPES.items()},
    **{
        f"line: {name}": lambda t=t: parse_line(Line(1, t.encode()), FROM_FILE)
        for name, t in LINES.items()
    },
    **{f"head: {name}": lambda t=t: file_brings_answers(t.encode()) for name, t in LINES.items()},
    **{f"text metrics: {name}": lambda t=t: row_metrics(*t) for name, t in TEXTS.items()},
    **{f"bleu: {name}": lambda t=t: bleu_counts(*t) for name, t in TEXTS.items()},
    **{f"markup: {name}": lambda t=t: markup_of(t[0]) for name, t in TEXTS.items()},
    **{f"label: {name}": lambda t=t: one_line(t[0], 80) for name, t in TEXTS.items()},
    "csv: columns": lambda: _own_table(filled("a,") + "\n" + filled("1,")),
    "csv: a quote": lambda: _own_table('id,forward\n"' + filled("x,\n")),
    "csv: lines": lambda: _own_table("id,forward\n" + filled(",\n", 60_000)),
    "json lines: nested": lambda: _own_table(LINES["nested"], suffix=".jsonl"),
    "results: nested": lambda: _results('{"results": ' + "[" * 500_000),
    "results: keys": lambda: _results(
        json.dumps({"results": {f"t{n}": {"a": 1} for n in range(100_000)}})
    ),
}


def run(name: str) -> None:
    """Read one input; our errors are an answer too."""
    with contextlib.suppress(NovaJudgeError):
        CASES[name]()
