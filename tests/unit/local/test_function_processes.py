"""Forks of a process that has imported what functions need, as the engine uses them."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from nova_judge_local.engine.fork_imports import CONTAINER
from nova_judge_local.engine.function_processes import POSSIBLE, Forks
from tests.made.forks import shared_forks

SCRIPT = """
import json, os, sys
print(json.dumps({
    "environment": dict(os.environ),
    "folder": os.getcwd(),
    "loaded": [name for name in ("boto3", "duckdb", "lambdas") if name in sys.modules],
    "keys": __import__("boto3").Session().get_credentials().access_key,
}), flush=True)
for line in sys.stdin:
    print("heard", line.strip(), file=sys.stderr, flush=True)
"""


@pytest.fixture(scope="module", params=["its own", "shared"])
def forks(request, tmp_path_factory):
    if not POSSIBLE:
        yield None  # elsewhere the engine starts workers its own way
        return
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        folder = tmp_path_factory.mktemp("forks")
        is_shared = request.param == "shared"
        made = Forks(stack.enter_context(shared_forks(folder)) if is_shared else None)
        stack.callback(made.stop)
        yield made


@pytest.fixture
def start(forks, tmp_path):
    started = []

    def popen(script=SCRIPT, **environment):
        file = tmp_path / "worker.py"
        file.write_text(script, "utf-8")
        env = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "x", **environment}
        command = [sys.executable, str(file)]
        if forks is None:
            pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
            process = subprocess.Popen(command, cwd=tmp_path, env=env, text=True, **pipes)
        else:
            process = forks.popen(command, cwd=str(tmp_path), env=env, bufsize=1)
        started.append(process)
        return process

    yield popen
    for process in started:
        process.kill()
        process.wait(10)


def test_it_has_its_own_environment_folder_and_key(start, tmp_path):
    first, second = start(NAME="first"), start(NAME="second", AWS_ACCESS_KEY_ID="another")

    told, other = json.loads(first.stdout.readline()), json.loads(second.stdout.readline())

    assert told["environment"]["NAME"] == "first"
    assert other["environment"]["NAME"] == "second"
    assert "PYTHONPATH" not in told["environment"]
    assert told["folder"] == str(tmp_path)
    assert (told["keys"], other["keys"]) == ("mine", "another")


@pytest.mark.skipif(not POSSIBLE, reason="forks are for Linux: elsewhere workers import themselves")
def test_what_functions_import_is_there_already_and_no_handler_is(start):
    assert json.loads(start().stdout.readline())["loaded"] == ["boto3", "duckdb"]


def test_it_reads_and_writes_through_pipes_until_its_input_ends(start):
    process = start()
    process.stdin.write("hello\n")
    process.stdin.close()

    assert process.stderr.readline() == "heard hello\n"
    assert process.wait(10) == 0


def test_one_that_runs_has_no_code_and_one_that_was_ended_has(start):
    process = start()
    process.stdout.readline()

    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)

    process.terminate()
    assert process.wait(10) != 0
    assert process.poll() == process.wait()


@pytest.mark.skipif(not POSSIBLE, reason="forks are for Linux")
@pytest.mark.parametrize(
    ("root", "code", "said"),
    [("absent", 1, "No such file"), (None, 2, "expected one argument")],
    ids=["fails", "misused"],
)
def test_a_container_writes_into_its_log_and_ends_with_its_own_code(
    forks, tmp_path, root, code, said
):
    log = tmp_path / "job.log"
    command = [sys.executable, "-m", CONTAINER, "--root", *([root] if root else [])]
    with log.open("wb") as output:
        process = forks.start(command, tmp_path, {"HOME": str(tmp_path)}, output)
        assert process.wait(10) == code
    assert said in log.read_text("utf-8")


def test_what_a_script_raises_is_written_and_ends_it(start):
    process = start("raise ValueError('of the script')")

    assert "ValueError: of the script" in process.stderr.read()
    process.wait(10)
