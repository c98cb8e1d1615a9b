"""Every tutorial is executed: its commands run in order, and print what the page says they print.

A ```bash block is run; the ```text block after it holds lines of its output, in order, where `…`
stands for anything. A ```console block is for a reader with an account, and is not run. Where a
page names the server of Ollama, one of ours takes its place.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.made.chat_server import chat_server
from tests.made.forks import program_from

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.md"))
BLOCK = re.compile(
    r"^```(bash|text|yaml title=\"(?P<file>[^\"]+)\")\n(?P<body>.*?)^```$", re.M | re.S
)

OLLAMA = "http://localhost:11434/v1"

pytestmark = pytest.mark.slow


class Step(NamedTuple):
    """One block of commands and the lines that it prints."""

    commands: str
    printed: list[str]


def steps_of(page: str) -> list[Step | tuple[str, str]]:
    """The blocks of a page in order; a YAML block with a title is a file to write."""
    steps: list[Step | tuple[str, str]] = []
    for block in BLOCK.finditer(page):
        body = block["body"]
        if block["file"]:
            steps.append((block["file"], body))
        elif block[1] == "bash":
            steps.append(Step(body, []))
        elif steps and isinstance(steps[-1], Step):
            steps[-1].printed.extend(line.strip() for line in body.splitlines() if line.strip())
    return steps


def missing(printed: list[str], output: str) -> str | None:
    """The first expected line that does not follow the ones before it."""
    text, at = " ".join(output.split()), 0
    for line in printed:
        pattern = ".*?".join(re.escape(" ".join(part.split())) for part in line.split("…"))
        match = re.compile(pattern).search(text, at)
        if match is None:
            return line
        at = match.end()
    return None


def _lines(file: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (ROOT / "examples" / file).open(encoding="utf-8")]


QUESTIONS = {row["prompt"]: row["reference"] for row in _lines("questions.jsonl")}
ANSWERS = {
    size: {
        row["prompt"]: row["response"] for row in _lines(f"answers/qwen2.5-{size}-instruct.jsonl")
    }
    for size in ("1.5b", "7b")
}


def served(request: dict[str, object]) -> str:
    """Answer as a candidate from the records, or as a judge that knows the references."""
    asked = request["messages"][-1]["content"]  # type: ignore[index]
    size = str(request["model"]).partition(":")[2]
    if size == "base":
        return "That is hard to say."
    if size in ANSWERS:
        return ANSWERS[size].get(asked, "yes")
    prompt = next((prompt for prompt in QUESTIONS if prompt in asked), None)
    if prompt is None:
        return "yes"
    right = {size: QUESTIONS[prompt].lower() in ANSWERS[size][prompt].lower() for size in ANSWERS}
    shown = sorted(ANSWERS, key=lambda size: asked.rfind(ANSWERS[size][prompt]))
    first, second = (right[size] for size in shown)
    return "[[A=B]]" if first == second else "[[A>B]]" if first else "[[B>A]]"


@pytest.fixture(scope="module")
def server():
    with chat_server(served) as ours:
        yield ours.url


@pytest.fixture(scope="module")
def program(forks, tmp_path_factory):
    return program_from(forks, tmp_path_factory.mktemp("program"))


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=[page.stem for page in TUTORIALS])
def test_the_tutorial_does_what_it_says(tutorial, tmp_path, server, program):
    steps = steps_of(tutorial.read_text("utf-8"))
    assert any(isinstance(step, Step) for step in steps), "a tutorial without a command"
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = os.pathsep.join([str(program), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "COLUMNS": "200"}

    for step in steps:
        if not isinstance(step, Step):
            name, body = step
            (tmp_path / name).write_text(body.replace(OLLAMA, server), "utf-8")
            continue
        done = subprocess.run(
            ["bash", "-eu", "-c", step.commands.replace(OLLAMA, server)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{step.commands}\nends with {done.returncode}:\n{output}"
        line = missing(step.printed, output)
        assert line is None, f"{step.commands}\ndoes not print: {line}\nbut:\n{output}"


def test_a_line_that_is_not_printed_is_noticed():
    assert missing(["B is … better", "second"], "B is  much\nbetter") == "second"
    assert missing(["one … three"], "one two three") is None
