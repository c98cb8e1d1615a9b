"""`nova-judge local run` from the outside, as a user starts it."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.made.command_line import forked
from tests.made.forks import accounts_from
from tests.made.profiles import HAIKU

ROOT = Path(__file__).parents[2]
START = [sys.executable, "-m", "nova_judge.cli.main", "local", "run"]

pytestmark = pytest.mark.slow


@pytest.fixture
def run(forks):
    return functools.partial(_run, lambda: accounts_from(forks))


def _run(prepare, *arguments, expect=0):
    done = forked(("local", "run", *arguments), folder=ROOT, prepare=prepare)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout, done.stderr


def _metrics(out):
    return json.loads((out / "report/metrics.json").read_text("utf-8"))


def test_two_candidates_answer_and_are_judged(run, tmp_path):
    out = tmp_path / "run"
    questions, answers = ROOT / "examples/questions.jsonl", ROOT / "examples/answers"

    told, _ = run(questions, "--recipe", "pairwise", "--answers", answers, "--out", out)

    metrics = _metrics(out)
    rows = metrics["rows"]
    assert rows["input"] == sum(count for name, count in rows.items() if name != "input")
    assert rows["judged"] == len(questions.read_text("utf-8").splitlines())
    assert metrics["judge"]["stand_in"].startswith("reference")
    assert metrics["verdict"]["sentence"].split()[0] in " ".join(told.split())
    assert str(out / "report/report.html") in told.replace("\n", "")


def test_a_real_judges_verdicts_come_out_as_published(run, tmp_path):
    out = tmp_path / "haiku"

    run(HAIKU / "pairs.jsonl", "--judge", f"recorded:{HAIKU / 'judgments.jsonl'}", "--out", out)

    metrics = _metrics(out)
    agreement = metrics["agreement"]
    assert metrics["rows"]["input"] == 270
    assert round(agreement["forward"], 4) == 0.2963
    assert round(agreement["strict"], 4) == 0.1407
    assert round(agreement["summed"], 4) == 0.3222
    assert agreement["consistency"] == 0.5
    assert (metrics["forward"]["errors"], metrics["backward"]["errors"]) == (11, 2)


def test_a_file_that_cannot_be_read_ends_with_its_cause(run, tmp_path):
    packed, out = tmp_path / "rows.jsonl", tmp_path / "run"
    packed.write_bytes(b"\x1f\x8b\x08\x00 not what it says")

    _, error = run(packed, "--out", out, expect=3)

    assert "InputFileError" in error
    assert "a gzip archive that cannot be unpacked" in " ".join(error.split())


def test_a_judge_that_cannot_judge_ends_the_run_with_a_report_that_says_so(run, tmp_path):
    rows, out = tmp_path / "rows.jsonl", tmp_path / "run"
    rows.write_text('{"prompt": "p", "response_A": "a", "response_B": "b"}\n', "utf-8")

    told, error = run(rows, "--out", out, expect=3)

    assert "The report says why" in told
    assert "the row has no `reference`" in " ".join(error.split())
    metrics = _metrics(out)
    assert metrics["status"] == "failed"
    assert "the row has no `reference`" in metrics["failure"]["reason"]


def _children(group):
    listed = subprocess.run(
        ["ps", "-o", "pid=", "-g", str(group)], capture_output=True, text=True, check=False
    )
    return listed.stdout.split()


def test_an_interrupt_stops_everything(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [*START, "examples/pairs.jsonl", "--out", str(tmp_path / "run")],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where the tests run in a shell's background, interrupts are ignored from there on down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 60
    while (
        not list(tmp_path.glob("nova-judge-*/ministack-lambda-*")) and time.monotonic() < deadline
    ):
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "nothing is left running" in told
    assert _children(process.pid) == []
    assert not list(tmp_path.glob("nova-judge-*"))
