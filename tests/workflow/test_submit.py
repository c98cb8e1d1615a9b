"""`nova-judge submit` against the real stacks on an emulated account, as a user types it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pandas
import pytest

from nova_judge.layout import UNSTARTED
from nova_judge.recipe.files import packaged_recipe
from nova_judge.runs.run import Run
from tests.made.command_line import forked
from tests.workflow.conftest import Account, lines

Start = Callable[..., Account]
PAIR = {"response_A": "One.", "response_B": "Two.", "reference": "Two."}
PAIRS = lines(*({"prompt": f"{n}?", **PAIR} for n in range(4)))


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(PAIRS)
    return file


def submit(here: Account, *arguments: str) -> "subprocess.CompletedProcess[str]":
    asked = ("submit", "--stage", "local", *arguments)
    return forked(asked, {**here.environment(), "COLUMNS": "400"})


def test_a_file_becomes_a_report_on_this_machine(account: Start, pairs: Path, tmp_path: Path):
    here = account()
    here.emulator.tell_judge(pairs)

    done = submit(here, str(pairs), "--recipe", "pairwise", "--wait", "--out", str(tmp_path))

    assert done.returncode == 0, done.stderr + done.stdout
    (execution,) = here.ended()
    assert f"Execution: {execution.arn}" in done.stdout
    assert f"#/v2/executions/details/{execution.arn}" in done.stdout
    assert "4 usable rows (ready pairs)" in done.stdout
    assert "budget.max_usd" in done.stdout
    (report,) = tmp_path.glob("pairs-*/report")
    assert json.loads((report / "metrics.json").read_bytes())["rows"]["judged"] == 4
    assert (report / "report.html").is_file()


def test_an_object_that_is_there_already_is_evaluated_with_an_own_recipe(
    account: Start, pairs: Path, tmp_path: Path
):
    here = account()
    here.emulator.tell_judge(pairs)
    own = tmp_path / "mine.yaml"
    own.write_text(packaged_recipe("pairwise"))
    here.client("s3").upload_file(str(pairs), here.bucket, f"{UNSTARTED}elsewhere")
    uri = f"s3://{here.bucket}/{UNSTARTED}elsewhere"

    done = submit(here, uri, "--recipe", str(own), "--wait", "--out", str(tmp_path / "out"))

    assert done.returncode == 0, done.stderr + done.stdout
    assert here.read("recipes/mine.yaml") == own.read_bytes()
    again = submit(here, uri, "--recipe", "mine", "--wait", "--out", str(tmp_path / "again"))
    assert again.returncode == 0, again.stderr + again.stdout
    assert len(here.runs()) == 1
    (first,) = (tmp_path / "out").glob("*/report/metrics.json")
    (second,) = (tmp_path / "again").glob("*/report/metrics.json")
    assert first.read_bytes() == second.read_bytes()


def test_who_wants_answers_of_its_own_gets_a_run_beside_the_one_that_is_there(
    account: Start, pairs: Path, tmp_path: Path
):
    here = account()
    here.emulator.tell_judge(pairs)
    wait = ("--wait", "--out", str(tmp_path))

    for arguments in ((str(pairs),), (str(pairs), "--no-cache"), (str(pairs), "--no-cache")):
        done = submit(here, *arguments, *wait)
        assert done.returncode == 0, done.stderr + done.stdout

    reports = {path.parent.parent.name for path in tmp_path.glob("pairs-*/report/report.html")}
    assert {run["run_id"] for run in here.runs()} == reports
    assert len(reports) == 3
    asked = {
        run: msgspec.json.decode(here.read(f"runs/{run}/request.json"), type=Run).no_cache
        for run in reports
    }
    assert sorted(asked.values()) == [False, True, True]


def test_several_files_and_recipes_become_a_run_each(account: Start, pairs: Path, tmp_path: Path):
    here = account()
    other = tmp_path / "more.jsonl"
    other.write_bytes(PAIRS.replace(b"?", b"!"))
    here.emulator.tell_judge(pairs)
    here.emulator.tell_judge(other)
    lite = tmp_path / "mine.yaml"
    lite.write_text(packaged_recipe("pairwise"))
    files = (str(pairs), str(other), "--recipe", "pairwise", "--recipe", str(lite))

    done = submit(here, *files, "--json", "--wait", "--out", str(tmp_path / "out"))

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["runs"]
    assert [(run["run_id"].rpartition("-")[0], run["recipe"]) for run in told] == [
        ("pairs", "pairwise"),
        ("pairs", "mine"),
        ("more", "pairwise"),
        ("more", "mine"),
    ]
    assert {run["run_id"] for run in told} == {run["run_id"] for run in here.runs()}
    assert len(list((tmp_path / "out").glob("*/report/metrics.json"))) == 4


def test_one_unusable_file_of_several_uploads_none(account: Start, pairs: Path, tmp_path: Path):
    here = account()
    unusable = tmp_path / "broken.jsonl"
    unusable.write_bytes(b"not json\n")

    done = submit(here, str(pairs), str(unusable))

    assert done.returncode == 3
    assert "no line can be used" in " ".join(done.stderr.split())
    assert here.keys() == []


def test_a_failed_execution_is_told_with_its_cause(account: Start, pairs: Path, tmp_path: Path):
    here = account(quotas={"ml.g5.12xlarge for training job usage": 0.0})

    done = submit(here, str(pairs), "--wait", "--out", str(tmp_path))

    assert done.returncode == 3
    assert "PreflightError" in done.stderr
    assert "the account may run 0" in done.stderr


def test_nothing_is_uploaded_that_would_not_run(account: Start, pairs: Path, tmp_path: Path):
    here = account()
    unusable = tmp_path / "broken.jsonl"
    unusable.write_bytes(b'{"prompt": ""}\nnot json\n')
    dear = tmp_path / "dear.yaml"
    dear.write_text(packaged_recipe("pairwise").replace("max_usd: 50", "max_usd: 1"))
    refused = {
        "no line can be used": (str(unusable),),
        "above budget.max_usd $1.00": (str(pairs), "--recipe", str(dear)),
        "must lie in the data bucket": ("s3://elsewhere/pairs.jsonl",),
        "brings its own questions": (str(pairs), "--recipe", "benchmark-mmlu"),
        "is not deployed in us-east-1": (str(pairs), "--stage", "prod"),
    }

    for words, arguments in refused.items():
        done = submit(here, *arguments)
        assert done.returncode == 3, (words, done.stdout)
        assert words in " ".join(done.stderr.split()), (words, done.stderr)

    assert here.keys() == []
    assert here.runs() == []


BESIDE = """candidates:
  A: {file: response_A}
  B: {file: answers_b.jsonl}
"""


def recipe_of_answers_beside(folder: Path) -> Path:
    text = packaged_recipe("pairwise")
    ours, rest = text.index("candidates:"), text.index("\ngeneration:")
    file = folder / "beside.yaml"
    file.write_text(text[:ours] + BESIDE + text[rest:])
    return file


def test_answers_of_a_file_beside_the_input_are_judged(account: Start, tmp_path: Path):
    here = account()
    rows = [
        {"id": str(n), "prompt": f"{n}?", "response_A": f"one {n}", "reference": f"two {n}"}
        for n in range(4)
    ]
    answers = [{"id": str(n), "response": f"two {n}"} for n in (3, 1, 0)]
    (file := tmp_path / "rows.jsonl").write_bytes(lines(*rows))
    (tmp_path / "answers_b.jsonl").write_bytes(lines(*answers))
    here.emulator.tell_judge(file)
    recipe = recipe_of_answers_beside(tmp_path)

    done = submit(
        here, str(file), "--recipe", str(recipe), "--wait", "--out", str(tmp_path / "out")
    )

    assert done.returncode == 0, done.stderr + done.stdout
    assert "answers_b.jsonl by `id`: 3 rows have their response_B there, 1 have none" in done.stderr
    counts = here.metrics()["rows"]
    assert (counts["judged"], counts["rejected"]) == (3, 1)
    (judged,) = (key for key in here.keys("runs/") if key.endswith("llm_judge.jsonl"))
    pairs = [json.loads(line) for line in here.read(judged).splitlines()]
    assert [(row["response_A"], row["response_B"]) for row in pairs] == [
        (f"one {n}", f"two {n}") for n in (0, 1, 3)
    ]


def test_dropped_tables_are_judged_row_for_row(account: Start, tmp_path: Path):
    here = account()
    (known := tmp_path / "known.jsonl").write_bytes(PAIRS)
    here.emulator.tell_judge(known)
    rows = pandas.DataFrame([json.loads(line) for line in PAIRS.splitlines()])
    table = rows.to_csv(index=False, sep=";", lineterminator="\r\n")
    here.drop("of_excel.csv", table.encode("utf-8-sig"))
    here.drop("of_pandas.parquet", rows.to_parquet(index=False))

    ended = here.ended(2)

    assert {execution.status for execution in ended} == {"SUCCEEDED"}, ended
    judged = [key for key in here.keys("runs/") if key.endswith("llm_judge.jsonl")]
    assert sorted(key.split("/")[1][:9] for key in judged) == ["of-excel-", "of-pandas"]
    wanted = [(f"{n}?", "One.", "Two.") for n in range(4)]
    for key in judged:
        pairs = [json.loads(line) for line in here.read(key).splitlines()]
        assert [(row["prompt"], row["response_A"], row["response_B"]) for row in pairs] == wanted


def test_a_dropped_file_without_the_answers_of_its_recipe_is_refused_before_anything_is_paid(
    account: Start, tmp_path: Path
):
    here = account()
    recipe = recipe_of_answers_beside(tmp_path).read_bytes()
    s3 = here.client("s3")
    s3.put_object(Bucket=here.bucket, Key="recipes/beside.yaml", Body=recipe)
    row = {"prompt": "1?", "response_A": "one"}

    here.drop("rows.jsonl", lines(row), recipe="beside")

    (execution,) = here.ended()
    assert (execution.status, execution.error) == ("FAILED", "PreflightError")
    assert execution.cause == (
        "input: no usable row: line 1: field `response_B` is missing: a run does not read "
        "answers_b.jsonl: with it beside the rows, `nova-judge submit FILE --recipe beside` puts "
        "the answers into `response_B`; or write them there yourself"
    )
    assert here.jobs() == []
    assert here.runs() == []
