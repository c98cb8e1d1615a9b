import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nova_judge.aws.executions import follow
from nova_judge.cli import local, main
from nova_judge.errors import LocalModeError
from nova_judge_local import local_run, output_folder
from nova_judge_local.emulator_settings import ChatServer, answering
from nova_judge_local.local_run import RunRequest, RunResult, settings_for
from tests.made import runs

ROOT = Path(__file__).parents[3]
PAIRS = ROOT / "examples/pairs.jsonl"


def _request(**changes):
    return RunRequest(**{"input": PAIRS, "recipe": "pairwise", "out": Path("out"), **changes})


def test_credentials_reach_only_the_judge_that_needs_them():
    environment = {
        "AWS_PROFILE": "mine",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "OPENAI_API_KEY": "sk",
        "HTTPS_PROXY": "http://proxy",
        "OTHER": "x",
    }

    assert settings_for(_request(), environment).judge_environment == {}
    openai = settings_for(_request(judge="openai:http://localhost/v1#m"), environment)
    assert openai.judge_environment == {"OPENAI_API_KEY": "sk", "HTTPS_PROXY": "http://proxy"}


def test_credentials_for_bedrock_are_all_of_awss_and_no_other(monkeypatch):
    environment = {"AWS_PROFILE": "mine", "OPENAI_API_KEY": "sk", "OTHER": "x"}
    monkeypatch.setattr(local_run, "judge_from", lambda *_: None)

    settings = settings_for(_request(judge="bedrock:some.model"), environment)

    assert settings.judge_environment == {"AWS_PROFILE": "mine"}


def test_a_recorded_judges_file_is_found_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "v.jsonl").write_text('{"id": 1}\n', "utf-8")
    monkeypatch.chdir(tmp_path)

    settings = settings_for(_request(judge="recorded:v.jsonl"), {})

    assert settings.judge == f"recorded:{tmp_path / 'v.jsonl'}"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"input": Path("nowhere.jsonl")}, "no such file"),
        ({"judge": "somebody"}, "names no judge"),
        ({"answers": Path("nowhere")}, "neither a file of recorded answers"),
        ({"endpoints": "http://localhost"}, "write --endpoints openai:URL"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(changes, says):
    with pytest.raises(LocalModeError, match=says):
        settings_for(_request(**changes), {})


def test_a_folder_with_other_files_is_not_written_to(tmp_path):
    (tmp_path / "thesis.doc").touch()

    with (
        pytest.raises(LocalModeError, match="files that no run wrote"),
        output_folder.held(tmp_path),
    ):
        pass


class _S3:
    """Gives keys as S3 would; every object holds its own key."""

    def __init__(self, *keys):
        self._keys = keys

    def get_paginator(self, name):
        assert name == "list_objects_v2"
        return self

    def paginate(self, **asked):
        return [{"Contents": [{"Key": key} for key in self._keys]}, {}]

    def download_file(self, bucket, key, target):
        Path(target).write_text(key, "utf-8")


def _files(folder):
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found - {output_folder.MARKER}


def test_a_run_takes_the_place_of_the_earlier_one_and_nothing_elses(tmp_path):
    earlier = ("runs/r0/request.json", "runs/r0/report/old.html", "runs/r0/responses/A/0.jsonl")
    output_folder.fetch(_S3(*earlier), "bucket", tmp_path)
    (tmp_path / "mine.txt").touch()

    with output_folder.held(tmp_path):
        later = _S3("runs/r1/request.json", "runs/r1/report/x.html")
        output_folder.fetch(later, "bucket", tmp_path)

    assert _files(tmp_path) == {"mine.txt", "request.json", "report/x.html"}
    assert (tmp_path / "request.json").read_text("utf-8") == "runs/r1/request.json"


def test_a_run_that_left_nothing_does_not_show_the_earlier_ones_report(tmp_path):
    output_folder.fetch(_S3("runs/r0/report/report.html"), "bucket", tmp_path)

    output_folder.fetch(_S3(), "bucket", tmp_path)

    assert _files(tmp_path) == set()


@pytest.mark.parametrize("key", ["runs/r1/../../escaped", "runs/r1", "runs/r1/.."])
def test_a_key_that_leaves_the_folder_is_refused(tmp_path, key):
    with pytest.raises(LocalModeError, match="outside"):
        output_folder.fetch(_S3(key), "bucket", tmp_path / "out")
    assert not list(tmp_path.rglob("escaped"))


def test_a_marker_cannot_name_what_lies_elsewhere(tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    for folder in (out, other):
        folder.mkdir()
    (out / output_folder.MARKER).write_text("../other\n", "utf-8")

    output_folder.fetch(_S3(), "bucket", out)

    assert other.is_dir()


class _StepFunctions:
    """Two looks: a run in a state, then its end."""

    def __init__(self, cause):
        self._looks = [{"status": "RUNNING"}, {"status": "FAILED", "error": "E", "cause": cause}]

    def describe_execution(self, **asked):
        return self._looks.pop(0)

    def get_execution_history(self, **asked):
        entered = {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Plan"}}
        return {"events": [{"type": "TaskScheduled"}, entered]}


@pytest.mark.parametrize(
    ("cause", "read"),
    [
        ("plain text", "plain text"),
        ('{"errorMessage": "why", "errorType": "E"}', "why"),
        ('{"FailureReason": "the job failed"}', "the job failed"),
        ("[1]", "[1]"),
    ],
)
def test_an_executions_cause_is_told_as_a_person_would_read_it(cause, read):
    looks = list(follow(_StepFunctions(cause), "arn"))

    assert [look.state for look in looks] == ["Plan", "Plan"]
    assert (looks[-1].status, looks[-1].error, looks[-1].cause) == ("FAILED", "E", read)


def _run_folder(folder):
    run = runs.write_run(folder / "run", runs.generated_rows(40))
    (run / "report/report.html").touch()
    return run


@pytest.fixture
def command(monkeypatch):
    """Runs the command with a given result in place of a whole run."""

    def run_with(result, *arguments):
        monkeypatch.setattr(local_run, "run", lambda *_: result)
        return CliRunner().invoke(main.app, ["local", "run", str(PAIRS), *arguments])

    return run_with


def test_the_command_prints_the_headline_and_the_reports_path(command, tmp_path):
    folder = _run_folder(tmp_path)

    done = command(RunResult(folder, "SUCCEEDED", None, None, None, None))

    assert done.exit_code == 0
    assert "Inconclusive\nBoth orders name B on 5 and A on 7 of 40 rows" in done.output
    assert f"Report: {folder / 'report/report.html'}" in done.output


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (None, "recorded answers"),
        (ChatServer(url="http://localhost/v1", model="llama3.3"), "openai (llama3.3)"),
        (ChatServer(url="http://localhost/v1"), "openai (the models asked for)"),
    ],
)
def test_what_answers_for_the_candidates_has_a_name(server, said):
    assert answering(server) == said


def test_the_command_says_of_a_result_what_report_and_the_page_say(command, tmp_path):
    folder = _run_folder(tmp_path)

    ran = command(RunResult(folder, "SUCCEEDED", None, None, None, None)).output
    reported = CliRunner().invoke(main.app, ["report", str(folder)]).output

    assert ran.strip() == reported.strip()
    assert "43.3 %  [22.4, 69.5]" in ran
    assert re.search(r"Without a verdict +0", ran)
    assert "25 times, judge, backward: the details do not say" in ran


def test_a_failed_execution_is_an_error_with_its_cause(command, tmp_path):
    logs = tmp_path / "logs"
    result = RunResult(
        tmp_path, "FAILED", "RecipeError", "no such recipe", "No answer is recorded", logs
    )

    done = command(result)

    assert isinstance(done.exception, LocalModeError)
    told = str(done.exception).splitlines()
    assert told[0] == "The execution ended as FAILED."
    assert told[1] == "RecipeError: no such recipe"
    assert told[2] == "The stand-in says: No answer is recorded"
    assert told[3].endswith(str(logs))


def test_ctrl_c_ends_with_the_usual_code(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(local_run, "run", interrupted)

    done = CliRunner().invoke(main.app, ["local", "run", str(PAIRS)])

    assert done.exit_code == local.INTERRUPTED
    assert "nothing is left running" in done.output
