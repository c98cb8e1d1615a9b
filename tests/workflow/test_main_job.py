"""A file dropped into the bucket becomes a report."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_judge_local.emulator_settings import JobFault
from tests.made.profiles import HAIKU
from tests.workflow.conftest import ROOT, Account, lines

QUESTIONS = (ROOT / "examples" / "questions.jsonl").read_bytes()
Start = Callable[..., Account]


def pair(number: int, **changes: object) -> dict[str, object]:
    row = {
        "id": f"p{number}",
        "prompt": f"Which planet is number {number}?",
        "response_A": "It is a planet of the solar system that circles the sun.",
        "response_B": "Mars",
        "reference": "Mars",
    }
    return {**row, **changes}


def test_prompts_are_answered_judged_and_reported(account: Start, tmp_path: Path) -> None:
    here = account()
    here.drop("questions.jsonl", QUESTIONS, folder=tmp_path)

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    assert execution.output["report"].endswith("/report/report.html")
    metrics = here.metrics()
    assert metrics["rows"] == {
        "input": 54,
        "rejected": 0,
        "generation_failed": 0,
        "judge_failed": 0,
        "judged": 54,
    }
    assert metrics["candidates"]["A"]["name"] == "qwen2.5-1.5b-instruct"
    assert metrics["judge"]["stand_in"].startswith("reference")
    assert [metrics["candidates"][c]["stand_in"] for c in "AB"] == ["recorded answers"] * 2
    assert [run["status"] for run in here.runs()] == ["REPORTED"]
    assert here.endpoints() == []
    run_id = execution.output["run_id"]
    written = {
        key.removeprefix(f"runs/{run_id}/report/") for key in here.keys(f"runs/{run_id}/report/")
    }
    assert written == {
        "report.html",
        "report.md",
        "metrics.json",
        "judgments.parquet",
        "figure.png",
        "figure.svg",
        "junit.xml",
    }


def test_ready_pairs_with_a_real_judges_verdicts_give_its_published_agreement(
    account: Start,
) -> None:
    here = account(judge=f"recorded:{HAIKU / 'judgments.jsonl'}")
    here.emulator.tell_judge(HAIKU / "pairs.jsonl")
    here.drop("pairs.jsonl", (HAIKU / "pairs.jsonl").read_bytes())

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    metrics = here.metrics()
    agreement = metrics["agreement"]
    assert [round(agreement[name], 4) for name in ("forward", "strict", "consistency")] == [
        0.2963,
        0.1407,
        0.5000,
    ]
    assert metrics["forward"]["errors"] == 11
    assert metrics["backward"]["errors"] == 2
    assert metrics["rows"]["judged"] == 270
    assert not any("/responses/" in key for key in here.keys("runs/"))


def test_the_same_event_twenty_times_gives_one_run_and_one_job(
    account: Start, tmp_path: Path
) -> None:
    here = account()
    content = lines(pair(1), pair(2))
    key = here.drop("pairs.jsonl", content, folder=tmp_path)
    (first,) = here.ended()
    version = here.client("s3").head_object(Bucket=here.bucket, Key=key)["VersionId"]
    detail = {"bucket": {"name": here.bucket}, "object": {"key": key, "version-id": version}}
    for _ in range(19):
        here.start(detail)

    executions = here.ended(20)

    assert [e.status for e in executions] == ["SUCCEEDED"] * 20
    assert sum("report" in e.output for e in executions) == 1
    assert sum(e.output.get("owner") == first.arn for e in executions) == 19
    assert len(here.runs()) == 1
    assert len(here.jobs()) == 1


def test_twenty_deliveries_at_once_give_one_run_and_one_job(account: Start, tmp_path: Path) -> None:
    here = account()
    here.client("events").disable_rule(Name=upload_rule(here))
    key = here.drop("pairs.jsonl", lines(pair(1), pair(2)), folder=tmp_path)
    version = here.client("s3").head_object(Bucket=here.bucket, Key=key)["VersionId"]
    detail = {"bucket": {"name": here.bucket}, "object": {"key": key, "version-id": version}}
    for _ in range(20):
        here.start(detail)

    executions = here.ended(20)

    assert [e.status for e in executions] == ["SUCCEEDED"] * 20
    assert sum("report" in e.output for e in executions) == 1
    assert len(here.jobs()) == 1


def upload_rule(account: Account) -> str:
    rules = account.client("events").list_rules()["Rules"]
    (name,) = (rule["Name"] for rule in rules if "Object Created" in rule.get("EventPattern", ""))
    return str(name)


def test_broken_lines_are_set_aside_with_their_numbers_and_good_rows_are_judged(
    account: Start, tmp_path: Path
) -> None:
    good = json.dumps(pair(1)).encode()
    other = json.dumps(pair(2)).encode()
    content = b"\n".join(
        [
            b"\xef\xbb\xbf" + good + b"\r",
            b"not json",
            b"[1, 2]",
            json.dumps({"prompt": "x", "response_A": "a"}).encode(),
            json.dumps(pair(5, response_B="")).encode(),
            json.dumps(pair(6, prompt=7)).encode(),
            b'{"prompt": "\xff", "response_A": "a", "response_B": "b"}',
            b'{"prompt": "' + b"x" * 20_000_000 + b'", "response_A": "a", "response_B": "b"}',
            b'{"prompt": "a", "prompt": "b", "response_A": "a", "response_B": "b"}',
            b"",
            other,
        ]
    )
    here = account()
    known = tmp_path / "rows.jsonl"
    known.write_bytes(good + b"\n" + other + b"\n")
    here.emulator.tell_judge(known)
    here.drop("broken.jsonl", content)

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    rows = here.metrics()["rows"]
    assert (rows["input"], rows["rejected"], rows["judged"]) == (10, 6, 2)
    assert rows["generation_failed"] == 1  # the empty answer
    assert rows["judge_failed"] == 1  # a numeric prompt is read; the judge knows no such row
    assert here.metrics()["cost"]["estimate"]["workload"]["rows"] < 100
    (key,) = (key for key in here.keys("runs/") if key.endswith("rejected.jsonl"))
    rejected = [json.loads(line) for line in here.read(key).splitlines()]
    assert [line["line"] for line in rejected] == [2, 3, 4, 7, 8, 9]
    assert all(line["reason"] for line in rejected)


def test_an_unreadable_file_fails_with_a_message_that_names_the_cause(account: Start) -> None:
    causes = {
        b"\x1f\x8b\x08 packed": "gzip",
        b"\xff\xfe{\x00}\x00": "line 1: field `prompt` is missing",
        b"PAR1 columns": "Parquet",
        b"   \n": "empty",
        b"these are\nno objects\n": "no column `prompt`",
    }
    here = account()

    for number, (content, cause) in enumerate(causes.items(), start=1):
        here.drop(f"file-{number}.jsonl", content)
        *_, execution = here.ended(number)
        assert (execution.status, execution.error) == ("FAILED", "InputFileError"), content
        assert cause in (execution.cause or "")

    assert here.jobs() == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            JobFault(outcome="failed", reason="AlgorithmError: out of memory"),
            "Failed: AlgorithmError: out of memory",
        ),
        (JobFault(outcome="stopped"), "Stopped"),
    ],
)
def test_a_judge_job_that_ends_badly_fails_the_execution_and_leaves_a_report(
    account: Start, fault: JobFault, said: str
) -> None:
    here = account(job_faults=(fault,))
    here.drop("pairs.jsonl", lines(pair(1), pair(2)))

    (execution,) = here.ended()

    assert execution.status == "FAILED"
    assert execution.error == "JudgeJobError"
    assert said in (execution.cause or "")
    metrics = here.metrics()
    assert metrics["status"] == "failed"
    assert said in metrics["failure"]["reason"]
    assert metrics["win_rate"] is None
    assert metrics["judge"]["stand_in"] == "reference"
    assert metrics["cost"]["actual"] is None, "nobody paid for a stand-in"
    assert said.encode() in here.report("report.html")
    assert [run["status"] for run in here.runs()] == ["FAILED"]


def test_a_job_that_failed_says_so_and_may_be_asked_for_again(
    account: Start, tmp_path: Path
) -> None:
    failed = JobFault(outcome="failed", reason="InternalServerError: try again", times=1)
    here = account(job_faults=(failed,))
    key = here.drop("pairs.jsonl", lines(pair(1), pair(2)), folder=tmp_path)
    (first,) = here.ended()
    assert first.status == "FAILED"
    assert "InternalServerError: try again" in (first.cause or "")
    assert here.metrics()["status"] == "failed"

    here.start({"input": f"s3://{here.bucket}/{key}", "recipe": "pairwise"})
    _, second = here.ended(2)

    assert second.status == "SUCCEEDED", second
    assert here.metrics()["status"] == "completed"


def test_a_job_waits_for_the_instances_that_another_job_has(account: Start, tmp_path: Path) -> None:
    taken = JobFault(outcome="refused", reason="quota for ml.g5.12xlarge is 1", times=2)
    here = account(job_faults=(taken,))
    here.drop("pairs.jsonl", lines(pair(1), pair(2)), folder=tmp_path)

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    assert here.metrics()["rows"]["judged"] == 2


def test_a_failed_generation_is_counted_and_never_judged(account: Start, tmp_path: Path) -> None:
    questions = [json.loads(line) for line in QUESTIONS.splitlines()]
    unknown = {"id": "new", "prompt": "A question without a recorded answer?", "reference": "none"}
    here = account()
    here.drop("questions.jsonl", lines(*questions, unknown), folder=tmp_path)

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    metrics = here.metrics()
    assert metrics["rows"]["generation_failed"] == 1
    assert metrics["rows"]["judged"] == 54
    (key,) = (key for key in here.keys("runs/") if key.endswith("llm_judge.jsonl"))
    assert b"without a recorded answer" not in here.read(key)
    (failed,) = (key for key in here.keys("runs/") if key.endswith("failed.jsonl"))
    assert json.loads(here.read(failed))["id"] == "new"


def test_too_many_failed_generations_fail_the_run_before_the_judge_is_paid(account: Start) -> None:
    here = account(answers=())
    here.drop("questions.jsonl", QUESTIONS)

    (execution,) = here.ended()

    assert execution.status == "FAILED"
    assert execution.error == "GenerationFailedError"
    assert here.jobs() == []
    assert here.endpoints() == []
    assert here.metrics()["failure"]["stage"] == "generation"


def test_the_console_input_and_many_shards_give_the_same_report_as_one(
    account: Start, tmp_path: Path
) -> None:
    here = account()
    content = lines(
        *(pair(n, response_A="Mars it is", prompt=f"Q{n}? " + "x" * 200) for n in range(60))
    )
    known = tmp_path / "known.jsonl"
    known.write_bytes(content)
    here.emulator.tell_judge(known)
    recipe = (ROOT / "recipes" / "pairwise.yaml").read_text() + "\nshards: {bytes: 1024}\n"
    here.client("s3").put_object(Bucket=here.bucket, Key="recipes/small.yaml", Body=recipe.encode())
    here.client("s3").put_object(Bucket=here.bucket, Key="inbox/data/many.jsonl", Body=content)
    time.sleep(0.5)
    here.ended()  # the drop itself names a recipe that does not exist

    here.start({"input": f"s3://{here.bucket}/inbox/data/many.jsonl", "recipe": "small"})
    refused, execution = here.ended(2)

    assert refused.error == "RecipeError"
    assert execution.status == "SUCCEEDED", execution
    shards = json.loads(here.read(next(k for k in here.keys("runs/") if k.endswith("shards.json"))))
    assert len(shards) > 10
    assert here.metrics()["rows"]["judged"] == 60
    (rows,) = (k for k in here.keys("runs/") if k.endswith("judge/0/rows.jsonl"))
    assert [json.loads(line)["line"] for line in here.read(rows).splitlines()] == list(range(1, 61))
