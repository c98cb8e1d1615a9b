"""`nova-judge local run --a bedrock:… --b bedrock:…`: models answer with the user's credentials."""

import functools
import json
from pathlib import Path

import pytest

from tests.made.bedrock_server import bedrock_server
from tests.made.command_line import forked
from tests.made.forks import accounts_from

ROOT = Path(__file__).parents[2]
WRONG, RIGHT = "amazon.nova-micro-v1:0", "amazon.nova-lite-v1:0"
MODELS = {
    WRONG: lambda prompt: prompt,
    RIGHT: lambda prompt: f"It is {2 * int(prompt.split()[2])}.",
}

pytestmark = pytest.mark.slow


@pytest.fixture
def local_run(forks, tmp_path):
    return functools.partial(_local_run, forks, tmp_path)


def _local_run(forks, folder, environment, b, expect=0):
    lines = [
        json.dumps({"prompt": f"What is {n} + {n}?", "reference": f"It is {2 * n}."})
        for n in range(6)
    ]
    file = folder / "questions.jsonl"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    models = ["--a", f"bedrock:{WRONG}", "--b", f"bedrock:{b}"]
    inherited = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = forked(
        ["local", "run", file, *models, "--out", folder / "run"],
        {**inherited, **environment, "COLUMNS": "300"},
        folder=ROOT,
        prepare=lambda: accounts_from(forks),
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_models_of_bedrock_answer_under_their_names_and_are_paid_once(local_run, tmp_path):
    with bedrock_server(MODELS) as server:
        local_run(server.environment, RIGHT)
        first = sorted(server.asked)
        local_run(server.environment, RIGHT)
    metrics = json.loads((tmp_path / "run/report/metrics.json").read_text("utf-8"))
    candidates = metrics["candidates"]
    assert {side: candidates[side]["name"] for side in "AB"} == {"A": WRONG, "B": RIGHT}
    assert [candidates[side]["stand_in"] for side in "AB"] == [None, None]
    assert metrics["rows"]["judged"] == 6
    assert metrics["forward"]["b"] == 6
    assert first == sorted([WRONG] * 6 + [RIGHT] * 6) == sorted(server.asked)


def test_a_model_that_bedrock_does_not_have_is_refused_with_the_nearest(local_run):
    with bedrock_server(MODELS) as server:
        said = local_run(server.environment, "amazon.nova-lite-v1:1", expect=3)
    assert "Bedrock does not offer it here. Did you mean amazon.nova-lite-v1:0" in said
    assert server.asked == []
