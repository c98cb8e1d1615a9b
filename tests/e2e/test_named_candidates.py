"""`nova-judge local run --a … --b …`: models that this machine reaches answer under their names."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.made.chat_server import chat_server
from tests.made.command_line import forked
from tests.made.forks import accounts_from

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-m", "nova_judge.cli.main"]
START = [*PYTHON, "local", "run"]

pytestmark = pytest.mark.slow


def questions(path, count):
    lines = [
        json.dumps({"prompt": f"What is {n} + {n}?", "reference": f"It is {2 * n}."})
        for n in range(count)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def answered(request):
    """The model `right` can add, the model `wrong` repeats the question."""
    asked = request["messages"][-1]["content"]
    number = int(asked.split()[2]) if asked.startswith("What is") else 0
    return f"It is {2 * number}." if request["model"] == "right" else asked


def command(file, server, out, *more):
    models = ["--a", f"openai:{server.url}#wrong", "--b", f"openai:{server.url}#right"]
    return [*START, str(file), *models, "--out", str(out), *more]


@pytest.fixture
def run(forks):
    return functools.partial(_run, lambda: accounts_from(forks))


def _run(prepare, arguments, expect=0):
    done = forked(arguments[len(PYTHON) :], folder=ROOT, prepare=prepare)
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def metrics_of(out):
    return json.loads((out / "report/metrics.json").read_text("utf-8"))


def test_the_models_answer_under_their_own_names_and_are_asked_once(run, tmp_path):
    file, out = questions(tmp_path / "questions.jsonl", 12), tmp_path / "run"
    with chat_server(answered) as server:
        run(command(file, server, out))
        first = {model: len(server.prompts_of(model)) for model in ("wrong", "right")}
        run(command(file, server, out))
        again = {model: len(server.prompts_of(model)) for model in ("wrong", "right")}

    metrics = metrics_of(out)
    names = {side: metrics["candidates"][side]["name"] for side in "AB"}
    assert names == {"A": "wrong", "B": "right"}
    assert [metrics["candidates"][side]["stand_in"] for side in "AB"] == [None, None]
    assert metrics["rows"]["judged"] == 12
    assert metrics["forward"]["b"] == 12
    assert first == again == {"wrong": 12, "right": 12}


def test_what_a_stopped_run_was_answered_is_not_asked_again(run, tmp_path):
    file, out = questions(tmp_path / "questions.jsonl", 150), tmp_path / "run"
    with chat_server(answered, latency_s=0.15) as server:
        process = subprocess.Popen(
            command(file, server, out),
            cwd=ROOT,
            start_new_session=True,
            # Whoever runs the tests in the background has it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        while len(server.asked) < 60:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
        kept = (tmp_path / ".nova-judge-kept/answers.jsonl").read_bytes().count(b"\n")
        server.asked.clear()
        run(command(file, server, out))
        asked = len(server.prompts_of("wrong")) + len(server.prompts_of("right"))

    assert kept > 0
    assert asked == 300 - kept
    assert metrics_of(out)["rows"]["judged"] == 150


def test_a_file_that_brings_its_answers_asks_nobody(run, tmp_path):
    with chat_server(answered) as server:
        done = run(command(ROOT / "examples/pairs.jsonl", server, tmp_path / "run"), expect=3)
    assert "brings the answers of both candidates" in " ".join(done.stderr.split())
    assert server.asked == []


RECIPE = """
kind: llm_judge
candidates:
  A:
    openai: {url}#right
    name: bare
  B:
    openai: {url}#right
    name: few-shot
    system: Be brief.
    examples: few.jsonl
    messages:
      - {{role: user, content: "{{{{ examples[0].question }}}}"}}
      - {{role: assistant, content: "{{{{ examples[0].answer }}}}"}}
      - {{role: user, content: "{{{{ prompt }}}}"}}
{judge}
"""


def test_one_model_with_two_prompts_is_two_candidates(run, tmp_path):
    file, out = questions(tmp_path / "questions.jsonl", 6), tmp_path / "run"
    judge = (ROOT / "recipes/pairwise.yaml").read_text("utf-8").partition("\njudge:")[2]
    (tmp_path / "few.jsonl").write_text('{"question": "Hi?", "answer": "Yes."}\n', "utf-8")
    recipe = tmp_path / "prompts.yaml"
    with chat_server(answered) as server:
        recipe.write_text(RECIPE.format(url=server.url, judge=f"judge:{judge}"), "utf-8")
        run([*START, str(file), "--recipe", str(recipe), "--out", str(out)])
        asked = [body["messages"] for body in server.asked]

    metrics = metrics_of(out)
    assert [metrics["candidates"][side]["name"] for side in "AB"] == ["bare", "few-shot"]
    assert metrics["rows"]["judged"] == 6
    first = {"role": "user", "content": "What is 0 + 0?"}
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi?"},
        {"role": "assistant", "content": "Yes."},
    ]
    assert asked.count([first]) == asked.count([*turns, first]) == 1
    assert len(asked) == 12 + 2  # one word to each before the run


def test_a_recipe_of_many_candidates_takes_no_further_ones(run, tmp_path):
    recipe = tmp_path / "many.yaml"
    text = (ROOT / "recipes/pairwise.yaml").read_text("utf-8")
    many = (
        "candidates: {base: {bedrock: amazon.nova-lite-v1:0}, new: {bedrock: amazon.nova-pro-v1:0}}"
    )
    head, _, rest = text.partition("candidates:")
    recipe.write_text(f"{head}{many}\n\ngeneration:{rest.partition('generation:')[2]}", "utf-8")
    file = questions(tmp_path / "questions.jsonl", 2)
    with chat_server(answered) as server:
        done = run(command(file, server, tmp_path / "run", "--recipe", str(recipe)), expect=3)
    assert "names candidates of its own (base, new)" in " ".join(done.stderr.split())
