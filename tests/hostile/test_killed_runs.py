"""A local run that is killed at any time leaves nothing that the next run does not clear up."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest

from tests.hostile.bounds import ROOT, rounds
from tests.made.serving import serving

MOMENTS = [3.0, 0.3, 1.0, 2.0, 4.0, 6.0]
"""Seconds after the start."""
ROWS = 40
IN_FLIGHT = 64


def started(arguments: list[str], out: Path, scratch: Path) -> subprocess.Popen[bytes]:
    scratch.mkdir(exist_ok=True)
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "nova_judge.cli.main",
            "local",
            "run",
            *arguments,
            "--out",
            str(out),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(run: subprocess.Popen[bytes], out: Path, scratch: Path) -> None:
    """Wait for a run, which must succeed and leave its report and nothing else."""
    said, _ = run.communicate(timeout=300)
    assert run.returncode == 0, said.decode()
    assert (out / "report/report.html").is_file()
    left = {path.name for path in out.iterdir()} & {".nova-judge-new", ".nova-judge-old"}
    assert (left, [path.name for path in scratch.iterdir()]) == (set(), [])


def kill(run: subprocess.Popen[bytes]) -> None:
    run.send_signal(signal.SIGKILL)
    run.communicate()


@pytest.mark.parametrize("moment", rounds(MOMENTS[:1], MOMENTS))
def test_a_killed_run_is_cleared_up_by_the_next(tmp_path: Path, moment: float) -> None:
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    pairs = ["examples/pairs.jsonl", "--recipe", "pairwise"]
    first = started(pairs, out, scratch)
    time.sleep(moment)
    kill(first)
    finish(started(pairs, out, scratch), out, scratch)


class Models(ThreadingHTTPServer):
    """Two candidates and a judge behind one server, whose answers are paid for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Completions)
        self.asked: Counter[str] = Counter()

    def url(self, model: str) -> str:
        return f"openai:http://127.0.0.1:{self.server_port}/v1#{model}"

    def arguments(self, questions: Path) -> list[str]:
        models = [f"--{side}={self.url(side)}" for side in ("a", "b", "judge")]
        return [str(questions), "--recipe", "pairwise", *models]


class Completions(BaseHTTPRequestHandler):
    """Answers each prompt always alike, after a while."""

    protocol_version = "HTTP/1.1"
    server: Models

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][-1]["content"]
        self.server.asked[f"{body['model']} {prompt}"] += 1
        time.sleep(0.05)
        text = "[[A]]" if body["model"] == "judge" else f"{body['model']} says {len(prompt)}"
        answer = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        content = json.dumps({"choices": [{"index": 0, **answer}], "model": body["model"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def models() -> Iterator[Models]:
    with serving(Models()) as server:
        yield server


def judged(out: Path) -> list[tuple[object, ...]]:
    """The rows of a report, whatever the run is called."""
    columns = "id, prompt, response_A, response_B, forward, backward"
    table = str(out / "report/judgments.parquet")
    return duckdb.execute(f"SELECT {columns} FROM read_parquet(?)", [table]).fetchall()  # noqa: S608


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path, models: Models) -> None:
    """No row is lost or judged twice, and only what was under way is paid for again."""
    questions = tmp_path / "questions.jsonl"
    rows = [{"id": f"q{n}", "prompt": f"Question {n}?"} for n in range(ROWS)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    asking = models.arguments(questions)
    began = time.monotonic()
    whole = tmp_path / "whole/out"
    finish(started(asking, whole, tmp_path / "scratch"), whole, tmp_path / "scratch")
    seconds, once = time.monotonic() - began, models.asked.total()
    chance = random.Random(20)  # noqa: S311
    for number in range(rounds(1, 20)):
        models.asked.clear()
        out, scratch = tmp_path / f"{number}/out", tmp_path / f"scratch-{number}"
        first = started(asking, out, scratch)
        time.sleep(chance.uniform(0.3, 0.9) * seconds)
        kill(first)
        finish(started(asking, out, scratch), out, scratch)
        assert judged(out) == judged(whole)
        assert len(judged(out)) == ROWS
        assert once <= models.asked.total() <= once + IN_FLIGHT
