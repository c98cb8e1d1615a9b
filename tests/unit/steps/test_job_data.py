"""The one builder: which rows lie in which job's file, for every kind of job."""

import json
from typing import Any

import msgspec
import pytest

from nova_judge.errors import InputFileError
from nova_judge.inputs.dataset import Shard, ShardRows
from nova_judge.layout import RunLayout
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import InputRow, Rejected, S3Object
from nova_judge.runs.run import Run
from nova_judge.steps.job_data import BuiltJobs, build_jobs
from nova_judge.steps.job_files import FilePiece, write_piece
from tests.unit.conftest import BUCKET
from tests.unit.kinds.test_jobs import CUSTOMISED, HERE, recipe, run
from tests.unit.kinds.test_known_kinds import shipped

ASKED = HERE._replace(bucket=BUCKET)
PAIRS = packaged_recipe("pairwise")


def built(account: Any, of: Recipe, rows: int, most_rows_at_once: int = 1_000) -> BuiltJobs:
    """The jobs over so many pairs in shards of three, each shard with a broken line."""
    asked, layout = run(of), RunLayout(run(of).run_id)
    places = range(0, rows, 3)
    shards = [Shard(number, number, number + 1) for number in range(len(places))]
    account.put(layout.shards, msgspec.json.encode(shards))
    for number, first in enumerate(places):
        held = tuple(
            InputRow(line=line, id=f"r{n}", prompt=f"q{n}", response_A=f"a{n}", response_B=f"b{n}")
            for line, n in enumerate(range(first, min(first + 3, rows)), start=1)
        )
        shard = ShardRows(len(held) + 1, held, (Rejected(len(held) + 1, "broken"),))
        account.put(layout.rows(number), msgspec.json.encode(shard))
    return build_jobs(asked, ASKED, most_rows_at_once)


def prompts(account: Any, number: int, name: str) -> list[str]:
    layout = RunLayout(run(shipped("pairwise")).run_id)
    return [line["prompt"] for line in account.lines(layout.judge_data(number, name))]


def test_pairs_fill_one_file_after_the_other_and_controls_are_drawn_from_all(account) -> None:
    text = PAIRS.replace("judge:\n", "controls: [same_answer]\njudge:\n  max_rows_per_job: 4\n")
    jobs = built(account, recipe(text), 7)
    assert [prompts(account, n, "llm_judge.jsonl") for n in (0, 1)] == [
        ["q0", "q1", "q2", "q3"],
        ["q4", "q5", "q6"],
    ]
    layout = RunLayout("questions_1-0123456789ab")
    control = account.lines(layout.judge_data(2, "llm_judge.jsonl"))
    assert len(control) == 7
    assert all(pair["response_A"] == pair["response_B"] for pair in control)
    assert (len(jobs.jobs), jobs.later, jobs.done) == (3, [], 2)
    summary = account.json(layout.dataset)
    assert (summary["jobs"], summary["controls"]) == (2, ["same_answer"])
    assert (summary["input"], summary["rejected"], summary["rows"]) == (10, 3, 7)
    assert [account.json(layout.judge_job(n))["step"] for n in range(3)] == [
        "judge",
        "judge",
        "control",
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (PAIRS.replace("judge:\n", "judge:\n  max_rows_per_job: 4\n"), "llm_judge.jsonl"),
        (
            "kind: model_judge\njudge:\n  max_rows_per_job: 4\n"
            "  model: {bedrock: us.anthropic.claude-sonnet-4-6}\n",
            "asked.jsonl",
        ),
    ],
    ids=["by jobs", "by calls"],
)
def test_files_written_side_by_side_are_those_that_one_function_writes(
    account, text: str, name: str
) -> None:
    assert built(account, recipe(text), 14).pieces == ""
    layout = RunLayout("questions_1-0123456789ab")
    written = [key for n in range(4) for key in account.keys(layout.judge(n))]
    assert sum(key.endswith(name) for key in written) == 4
    once = {key: account.read(key) for key in written}
    account.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in written]})
    jobs = built(account, recipe(text), 14, most_rows_at_once=13)
    assert (jobs.pieces, len(jobs.jobs)) == (layout.job_files, 4)
    assert not [key for key in account.keys(layout.judge(0)) if key.endswith(name)]
    pieces = account.json(layout.job_files)
    assert [(piece["jobs"], piece["begins"]["shard"]) for piece in pieces] == [
        ([0], 0),
        ([1], 1),
        ([2], 2),
        ([3], 4),
    ]
    for piece in pieces[::-1]:
        write_piece(run(recipe(text)), BUCKET, msgspec.convert(piece, FilePiece))
    again = [key for n in range(4) for key in account.keys(layout.judge(n))]
    assert {key: account.read(key) for key in again} == once


def test_with_an_early_stop_one_job_starts_beside_the_controls(account) -> None:
    text = PAIRS.replace(
        "judge:\n",
        "stop: when_decided\ncontrols: [padded]\njudge:\n  max_rows_per_job: 3\n",
    )
    jobs = built(account, recipe(text), 7)
    assert [job.number for job in jobs.jobs] == [0, 3]
    assert [job.number for job in jobs.later] == [1, 2]
    assert (jobs.api, jobs.done) == ("nova", 1)
    judged = [prompts(account, n, "llm_judge.jsonl") for n in range(3)]
    assert [len(part) for part in judged] == [3, 3, 1]
    assert sorted(prompt for part in judged for prompt in part) == [f"q{n}" for n in range(7)]


def test_each_candidate_of_bedrock_s_judge_has_files_of_its_own(account) -> None:
    text = packaged_recipe("bedrock-judge").replace(
        "  bedrock:\n", "  bedrock:\n    prompts_per_job: 4\n"
    )
    jobs = built(account, recipe(text), 6)
    layout = RunLayout("questions_1-0123456789ab")
    assert (jobs.jobs, jobs.later, jobs.requests) == ([], [], layout.job_requests)
    asked = account.json(layout.job_requests)
    assert [job["request"]["JobName"][-2:] for job in asked] == ["-0", "-1", "-2", "-3"]
    files = [account.lines(layout.judge_data(n, "prompts.jsonl")) for n in range(4)]
    answers = [[line["modelResponses"][0]["response"] for line in file] for file in files]
    assert answers == [
        ["a0", "a1", "a2", "a3"],
        ["a4", "a5"],
        ["b0", "b1", "b2", "b3"],
        ["b4", "b5"],
    ]
    kept = [[row["id"] for row in account.lines(layout.judge_rows(n))] for n in (0, 3)]
    assert kept == [["r0", "r1", "r2", "r3"], ["r4", "r5"]]


def test_rows_that_a_run_cannot_follow_are_counted_before_they_are_refused(account) -> None:
    text = packaged_recipe("bedrock-judge").replace(
        "  bedrock:\n", "  bedrock:\n    prompts_per_job: 1\n"
    )
    with pytest.raises(InputFileError, match="make 502 Bedrock evaluation jobs"):
        built(account, recipe(text), 251)
    summary = account.json(RunLayout("questions_1-0123456789ab").dataset)
    assert (summary["rows"], summary["rejected"], summary["jobs"]) == (251, 84, 0)


def test_models_under_test_share_one_file_that_is_written_once(account) -> None:
    lines = [{"query": "q1", "response": "r1"}, {"query": 7}, {"query": "q3", "response": "r3"}]
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    version = account.put("inbox/x/own.jsonl", content)
    of = recipe(CUSTOMISED.replace("judge:\n", "judge:\n  evaluate_base_model: true\n"))
    place = S3Object(BUCKET, "inbox/x/own.jsonl", version, len(content))
    asked: Run = msgspec.structs.replace(run(of), input=place)
    jobs = build_jobs(asked, ASKED)
    layout = RunLayout(asked.run_id)
    assert account.lines(layout.judge_data(0, "gen_qa.jsonl")) == [lines[0], lines[2]]
    assert [line["line"] for line in account.lines(layout.rejected)] == [2]
    trains = {
        channel["DataSource"]["S3DataSource"]["S3Uri"]
        for job in jobs.jobs
        for channel in job.request["InputDataConfig"]
        if channel["ChannelName"] == "train"
    }
    assert trains == {f"s3://{BUCKET}/{layout.judge_data(0, 'gen_qa.jsonl')}"}
    assert [key for key in account.keys(layout.judge(1)) if "/input/" in key] == []


def test_a_benchmark_has_nothing_to_write_but_its_recipe(account) -> None:
    jobs = build_jobs(run(shipped("benchmark-mmlu")), ASKED)
    layout = RunLayout("questions_1-0123456789ab")
    assert account.keys(layout.prefix) == [
        layout.dataset,
        layout.judge_job(0),
        layout.judge_recipe(0),
    ]
    assert (len(jobs.jobs), jobs.done, jobs.api) == (1, 1, "nova")


QWEN = "endpoint: qwen2.5-7b-instruct"
SMALL = "endpoint: qwen2.5-1.5b-instruct"


@pytest.mark.parametrize(
    ("judge", "freed"),
    [
        (f"  model: {{{QWEN}}}\n  max_rows_per_job: 3\ncontrols: [padded]", [0, 0, 0, 1]),
        (
            f"  model: {{{QWEN}}}\n  max_rows_per_job: 3\ncontrols: [padded]\nstop: when_decided",
            [0, 0, 0, 1],  # the first job, the control, and those that may be needed later
        ),
        (f"  panel:\n    x: {{{QWEN}}}\n    y: {{{SMALL}}}\n    z: {{{QWEN}}}", [0, 1, 1]),
        ("  model: {bedrock: amazon.nova-pro-v1:0}\n  max_rows_per_job: 4", [0, 0]),
    ],
)
def test_the_last_job_that_asks_an_endpoint_frees_it(account, judge, freed) -> None:
    jobs = built(account, recipe(f"kind: model_judge\njudge:\n{judge}\n"), 7)
    requests = [job.request for job in (*jobs.jobs, *jobs.later)]
    assert [len(request.get("frees", [])) for request in requests] == freed
    assert all(set(request.get("frees", [])) <= set(request["endpoints"]) for request in requests)
