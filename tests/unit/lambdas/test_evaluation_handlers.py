"""The functions behind the states, one after another as the state machine calls them."""

import gzip
import json

import pytest

from lambdas import (
    build_jobs,
    claim_run,
    generate_responses,
    plan_evaluation,
)
from nova_judge.aws import account as account_facts
from nova_judge.aws import s3
from nova_judge.errors import (
    GenerationFailedError,
    InputFileError,
    PreflightError,
    RecipeError,
    RequestError,
)
from nova_judge.folders import RECIPES
from nova_judge.preflight.rules import Facts
from nova_judge.records import FailedRow, Failure
from nova_judge.runs.run import Run
from nova_judge.steps import job_files, plan_run
from tests.unit.conftest import BUCKET

INPUT = {"input": f"s3://{BUCKET}/inbox/own/pairs.jsonl", "recipe": "own"}
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:nova-judge-dev-evaluation:one"


def pair(number: int, **changes) -> bytes:
    row = {
        "id": f"r{number}",
        "prompt": f"Question {number}?",
        "response_A": "a",
        "response_B": "b",
    }
    return json.dumps({**row, **changes}).encode()


def generate(run_id: str, shard: dict, context) -> dict:
    event = {"run_id": run_id, "shard": shard, "endpoints": []}
    return generate_responses.handler(event, context)


@pytest.fixture
def plan(account, context, recipe, monkeypatch):
    """PlanEvaluation over the content of a file, in an account of which nothing is known."""
    facts = Facts(region="us-east-1", caller="arn:function")
    monkeypatch.setattr(account_facts, "facts_of_run", lambda *_, **__: facts)
    recipe()

    def run(content: bytes | None, document=INPUT, execution: str = EXECUTION) -> dict:
        if content is not None:
            account.put("inbox/own/pairs.jsonl", content)
        event = {"input": document, "execution": execution, "started": "2026-11-21T18:00:00Z"}
        # As Lambda hands it on.
        return json.loads(json.dumps(plan_evaluation.handler(event, context)))

    return run


@pytest.fixture
def dataset_of(plan, account, context):
    """All states up to the judge, over the content of a file."""

    def run(content: bytes) -> tuple[str, list[dict]]:
        claimed = claim_run.handler(plan(content), context)
        run_id = claimed["run_id"]
        for shard in account.json(claimed["shards_key"]):
            left = generate(run_id, shard, context)
            assert left == {"left": 0}
        built = build_jobs.handler({"run_id": run_id, "region": "us-east-1"}, context)
        return run_id, built["jobs"]

    return run


# --- PlanEvaluation ----------------------------------------------------------------------------


def test_a_plan_resolves_version_recipe_and_who_answers(plan, account):
    planned = plan(pair(1))
    run = planned["run"]
    version = account.s3.head_object(Bucket=BUCKET, Key="inbox/own/pairs.jsonl")["VersionId"]
    assert run["input"] == {
        "bucket": BUCKET,
        "key": "inbox/own/pairs.jsonl",
        "version": version,
        "size": len(pair(1)),
    }
    assert run["sources"] == ["file", "file"]
    assert (run["execution"], run["created"]) == (EXECUTION, "2026-11-21T18:00:00Z")
    assert planned["by_event"] is False


def test_the_event_and_the_console_mean_the_same_run(plan, account):
    asked = plan(pair(1))
    version = asked["run"]["input"]["version"]
    detail = {
        "bucket": {"name": BUCKET},
        "object": {"key": "inbox/own/pairs.jsonl", "version-id": version},
    }
    dropped = plan(None, detail)
    assert dropped["by_event"] is True
    assert dropped["run"]["run_id"] == asked["run"]["run_id"]


TRIGGERED = {**INPUT, "trigger": {"name": "ckpt", "training_job": "sft-17", "event": "e1"}}


def test_a_job_that_sets_a_recipe_off_stands_in_it_and_makes_a_run_of_its_own(plan, recipe):
    recipe(more="candidates: {A: {endpoint: base}, B: {endpoint: $trigger}}\n")
    planned = plan(pair(1), TRIGGERED)
    again = plan(None, {**TRIGGERED, "trigger": {**TRIGGERED["trigger"], "event": "e2"}}, "other")
    other = plan(None, {**INPUT, "trigger": {"training_job": "sft-18"}})
    assert planned["run"]["recipe"]["candidates"]["B"]["endpoint"] == "sft-17"
    assert planned["run"]["trigger"] == TRIGGERED["trigger"]
    assert planned["run"]["run_id"] == again["run"]["run_id"] != other["run"]["run_id"]
    assert [each["by_event"] for each in (planned, again, other)] == [True, True, False]


def test_a_trigger_makes_a_run_of_its_own_where_the_recipe_does_not_name_it(plan):
    plain = plan(pair(1))["run"]["run_id"]
    times = [{"name": "weekly", "scheduled": f"2026-11-{day}T06:00:00Z"} for day in (23, 30, 30)]
    first, second, again = (
        plan(None, {**INPUT, "no_cache": True, "trigger": each})["run"]["run_id"] for each in times
    )
    assert len({plain, first, second}) == 3
    assert second == again


def test_a_time_without_a_file_makes_one_run_however_often_it_comes(plan, account):
    account.put("recipes/mmlu.yaml", (RECIPES / "benchmark-mmlu.yaml").read_bytes())
    document = {"recipe": "mmlu", "trigger": {"name": "weekly", "scheduled": "2026-11-30T06:00Z"}}
    runs = [plan(None, document, execution)["run"]["run_id"] for execution in ("one", "two")]
    assert runs[0] == runs[1]
    plain = [plan(None, {"recipe": "mmlu"}, each)["run"]["run_id"] for each in ("one", "two")]
    assert len({*runs, *plain}) == 3


@pytest.mark.parametrize(
    ("trigger", "error", "words"),
    [
        ({"name": "x"}, RequestError, "exactly one of training_job, model_package and scheduled"),
        ({"training_job": "a b"}, RequestError, "the name of a training job"),
        ({"training_job": "sft-17", "job": "x"}, RequestError, "trigger.job: unknown key"),
        ({"scheduled": "2026-11-30"}, RecipeError, "candidates.B.endpoint: [$]trigger stands for"),
    ],
)
def test_a_trigger_that_says_nothing_is_refused(plan, recipe, trigger, error, words):
    recipe(more="candidates: {A: {endpoint: base}, B: {endpoint: $trigger}}\n")
    with pytest.raises(error, match=words):
        plan(pair(1), {**INPUT, "trigger": trigger})


def test_another_version_or_recipe_is_another_run(plan, recipe):
    first = plan(pair(1))["run"]["run_id"]
    again = plan(pair(1))["run"]["run_id"]
    recipe(rows=7)
    other = plan(None)["run"]["run_id"]
    assert len({first, again, other}) == 3


@pytest.mark.parametrize(
    ("document", "error", "words"),
    [
        ({"input": "s3://elsewhere/x.jsonl", "recipe": "own"}, RequestError, "copy it there"),
        ({**INPUT, "recipe": "unheard-of"}, RecipeError, "unheard-of"),
        ({**INPUT, "input": f"s3://{BUCKET}/inbox/own/no.jsonl"}, InputFileError, "does not exist"),
        ([], RequestError, "not a JSON object"),
    ],
)
def test_what_cannot_be_planned_says_why(plan, document, error, words):
    with pytest.raises(error, match=words):
        plan(pair(1), document)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x1f\x8b\x08", "gzip archive"),
        (b"[]", "no usable row"),
        (b'\n\n{"question": "x"}\n', r"no column `prompt`\. Read it with --map prompt=question"),
        (b'\n\n{"prompt": ""}\n', r"no usable row .* line 3: field `prompt` is empty"),
        (b"\xef\xbb\xbf\n\n", "blank lines only"),
    ],
)
def test_an_unreadable_file_fails_with_its_cause(plan, content, words):
    with pytest.raises(InputFileError, match=words):
        plan(content)


def test_an_account_recipe_that_is_broken_names_its_file(plan, account):
    account.put("recipes/own.yaml", b"kind: nonsense")
    with pytest.raises(RecipeError, match=r"s3://data/recipes/own\.yaml"):
        plan(pair(1))


def test_behind_a_huge_broken_line_there_is_a_run(plan):
    assert plan(b"x" * 3_000_000 + b"\n" + pair(1))["run"]["sources"] == ["file", "file"]


def test_a_check_that_fails_stops_the_run_before_anything_is_paid(plan, account, monkeypatch):
    refused = Facts(region="us-east-1", caller="arn:function", bucket_sends_events=False)
    monkeypatch.setattr(account_facts, "facts_of_run", lambda *_, **__: refused)
    with pytest.raises(PreflightError):
        plan(pair(1))
    assert account.keys("runs/") == []


# --- ClaimRun ----------------------------------------------------------------------------------


def test_the_first_claim_writes_the_run_and_its_shards_down(plan, account, context):
    planned = plan(b"\n".join(pair(n) for n in range(50)))
    claimed = claim_run.handler(planned, context)
    run_id = planned["run"]["run_id"]
    assert claimed["claimed"] is True
    assert (claimed["needs_endpoints"], claimed["endpoints"]) == (False, [])
    assert account.json(f"runs/{run_id}/request.json")["run_id"] == run_id
    shards = account.json(claimed["shards_key"])
    assert [s["index"] for s in shards] == list(range(len(shards)))
    assert (shards[0]["start"], shards[-1]["end"]) == (0, planned["run"]["input"]["size"])
    assert len(shards) > 1


def test_every_later_claim_writes_nothing_and_names_the_owner(plan, account, context):
    claim_run.handler(plan(pair(1)), context)
    written = account.json(account.keys("runs/")[0])
    later = claim_run.handler(plan(None, execution="arn:two"), context)
    assert later["claimed"] is False
    assert later["owner"] == EXECUTION
    assert account.json(account.keys("runs/")[0]) == written


def test_prompts_need_the_endpoints_of_their_candidates(plan, context):
    document = {"input": INPUT["input"], "recipe": "pairwise"}
    claimed = claim_run.handler(plan(b'{"prompt": "x"}', document), context)
    assert claimed["endpoints"] == ["qwen2.5-1.5b-instruct", "qwen2.5-7b-instruct"]
    assert claimed["needs_endpoints"] is True


# --- GenerateResponses and BuildJobs -----------------------------------------------------------

BROKEN = [
    b"\xef\xbb\xbf" + pair(1) + b"\r",
    b"not JSON",
    b"[1, 2]",
    b"",
    pair(5, response_B=None),
    pair(6, response_A=" "),
    pair(7, prompt=True),
    pair(8)[:-2] + b'\xff"}',
    pair(9)[:-1] + b', "prompt": "again"}',
    b"x" * 1_200_000,
    pair(11, label="A>B", reference="a", category="c"),
    pair(12),
]
LEFT_OUT = {2, 3, 5, 7, 8, 9, 10}


def test_broken_lines_are_set_aside_with_their_numbers_and_good_rows_go_to_the_judge(
    dataset_of, account, recipe
):
    recipe(shard_bytes=300_000)
    run_id, jobs = dataset_of(b"\n".join(BROKEN))
    rejected = account.lines(f"runs/{run_id}/rejected.jsonl")
    assert {line["line"] for line in rejected} == LEFT_OUT
    (failed,) = account.lines(f"runs/{run_id}/failed.jsonl")
    assert (failed["line"], failed["failures"][0]["reason"]) == (6, "the answer is empty")
    assert all(line["reason"] for line in rejected)
    sent = account.lines(f"runs/{run_id}/judge/0/input/llm_judge.jsonl")
    assert [row["prompt"] for row in sent] == ["Question 1?", "Question 11?", "Question 12?"]
    assert set(sent[0]) == {"prompt", "response_A", "response_B"}
    index = account.lines(f"runs/{run_id}/judge/0/rows.jsonl")
    assert [(row["line"], row["id"]) for row in index] == [(1, "r1"), (11, "r11"), (12, "r12")]
    summary = account.json(f"runs/{run_id}/dataset.json")
    assert {name: summary[name] for name in ("input", "rejected", "rows", "jobs")} == {
        "input": 11,
        "rejected": 7,
        "rows": 3,
        "jobs": 1,
    }
    assert len(jobs) == 1


def test_rows_are_split_into_jobs_that_read_their_own_files(dataset_of, account, recipe, plan):
    recipe(rows=20)
    run_id, jobs = dataset_of(b"\n".join(pair(n) for n in range(45)))
    assert [job["number"] for job in jobs] == [0, 1, 2]
    counts = [len(account.lines(f"runs/{run_id}/judge/{n}/rows.jsonl")) for n in range(3)]
    assert counts == [20, 20, 5]
    names = {job["request"]["TrainingJobName"] for job in jobs}
    assert len(names) == 3
    for number, job in enumerate(jobs):
        folder = f"s3://{BUCKET}/runs/{run_id}/judge/{number}"
        channels = {c["ChannelName"]: c for c in job["request"]["InputDataConfig"]}
        uris = {n: c["DataSource"]["S3DataSource"]["S3Uri"] for n, c in channels.items()}
        assert uris == {
            "train": f"{folder}/input/llm_judge.jsonl",
            "recipe": f"{folder}/recipe/recipe.yaml",
        }
        assert job["request"]["OutputDataConfig"]["S3OutputPath"] == f"{folder}/output/"
        recipe_file = account.read(f"runs/{run_id}/judge/{number}/recipe/recipe.yaml")
        assert job["request"]["TrainingJobName"].encode() in recipe_file


def test_many_jobs_keep_one_pair_of_files_open(dataset_of, recipe, monkeypatch):
    open_now, most = set(), 0
    enter, leave = s3.ObjectWriter.__enter__, s3.ObjectWriter.__exit__

    def entered(writer):
        nonlocal most
        open_now.add(writer)
        most = max(most, len(open_now))
        return enter(writer)

    def left(writer, *error):
        open_now.discard(writer)
        return leave(writer, *error)

    monkeypatch.setattr(s3.ObjectWriter, "__enter__", entered)
    monkeypatch.setattr(s3.ObjectWriter, "__exit__", left)
    recipe(rows=1)
    dataset_of(b"\n".join(pair(n) for n in range(30)))
    assert most == 2


def test_a_repeated_state_writes_the_same_bytes(dataset_of, account, context):
    run_id, jobs = dataset_of(b"\n".join((*BROKEN[:9], *(pair(n) for n in range(30)))))
    before = {key: account.read(key) for key in account.keys(f"runs/{run_id}/")}
    for shard in account.json(f"runs/{run_id}/shards.json"):
        generate(run_id, shard, context)
    event = {"run_id": run_id, "region": "us-east-1"}
    assert build_jobs.handler(event, context)["jobs"] == jobs
    assert {key: account.read(key) for key in account.keys(f"runs/{run_id}/")} == before


def test_rows_of_the_version_that_was_asked_for_are_judged(plan, account, context):
    claimed = claim_run.handler(plan(pair(1)), context)
    account.put("inbox/own/pairs.jsonl", pair(2, prompt="overwritten meanwhile"))
    (shard,) = account.json(claimed["shards_key"])
    generate(claimed["run_id"], shard, context)
    rows = account.json(f"runs/{claimed['run_id']}/rows/00000.json")
    assert [row["prompt"] for row in rows["rows"]] == ["Question 1?"]


def test_failed_generations_are_written_down_and_too_many_stop_the_run(
    plan, account, context, monkeypatch
):
    claimed = claim_run.handler(plan(pair(1) + b"\n" + pair(2)), context)
    run_id = claimed["run_id"]
    monkeypatch.setattr(Run, "most_failed", 0.02)
    failed = FailedRow(1, "r1", (Failure("A", "timed out", 300),))
    monkeypatch.setattr(job_files, "merged", lambda rows, *_: [failed, rows.rows[1]])
    (shard,) = account.json(claimed["shards_key"])
    generate(run_id, shard, context)
    with pytest.raises(GenerationFailedError, match=r"1 of 2 rows.*A: timed out"):
        build_jobs.handler({"run_id": run_id, "region": "us-east-1"}, context)
    assert account.lines(f"runs/{run_id}/failed.jsonl")[0]["failures"][0]["reason"] == "timed out"
    summary = account.json(f"runs/{run_id}/dataset.json")
    assert (summary["rows"], summary["generation_failed"]) == (1, 1)


BEDROCK_JUDGE = b"""
kind: bedrock_judge
judge:
  bedrock: {evaluator: us.amazon.nova-pro-v1:0, metrics: [Correctness], prompts_per_job: 1}
"""


@pytest.mark.parametrize(("rows", "refused"), [(250, False), (251, True)])
def test_no_more_bedrock_jobs_are_asked_for_than_one_run_can_follow(
    plan, account, context, rows, refused
):
    account.put("recipes/own.yaml", BEDROCK_JUDGE)
    claimed = claim_run.handler(plan(b"\n".join(map(pair, range(rows)))), context)
    for shard in account.json(claimed["shards_key"]):
        generate(claimed["run_id"], shard, context)
    event = {"run_id": claimed["run_id"], "region": "us-east-1"}
    if refused:
        with pytest.raises(InputFileError, match="make 502 Bedrock evaluation jobs"):
            build_jobs.handler(event, context)
    else:
        answer = build_jobs.handler(event, context)
        assert answer["jobs"] == []
        assert len(account.json(answer["requests"])) == 500


# --- files of other forms ------------------------------------------------------------------------

TABLE = 'id;prompt;response_A;response_B\nr1;"Which\nplanet?";Mars;Venus\nr2;Q2;a;b;c\nr3;Q3;a;b\n'


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        TABLE.encode("utf-16"),
        gzip.compress(TABLE.encode(), mtime=0),
    ],
    ids=["semicolons", "UTF-16", "gzip"],
)
def test_a_dropped_table_is_judged_and_its_lines_keep_their_numbers(dataset_of, account, content):
    run_id, _ = dataset_of(content)
    sent = account.lines(f"runs/{run_id}/judge/0/input/llm_judge.jsonl")
    assert [row["prompt"] for row in sent] == ["Which\nplanet?", "Q3"]
    assert [row["line"] for row in account.lines(f"runs/{run_id}/judge/0/rows.jsonl")] == [2, 5]
    (rejected,) = account.lines(f"runs/{run_id}/rejected.jsonl")
    assert rejected == {
        "line": 4,
        "reason": "5 columns, where the header names 4",
        "field": None,
    }
    run = account.json(f"runs/{run_id}/request.json")
    assert run["lines"]["key"] == f"runs/{run_id}/input.jsonl"
    assert run["input"]["key"] == "inbox/own/pairs.jsonl"


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ("MOST_CONVERTED", "are converted here: `nova-judge submit` converts on your machine"),
        ("MOST_LINE_BYTES", "the rows unpack to more than 10 bytes: send several files"),
    ],
)
def test_a_dropped_table_that_is_too_large_is_refused(plan, account, monkeypatch, bound, words):
    monkeypatch.setattr(plan_run, bound, 10)
    with pytest.raises(InputFileError, match=words):
        plan(TABLE.encode())
    assert not account.keys("runs/")


def test_a_dropped_json_array_is_judged(dataset_of, account):
    run_id, _ = dataset_of(b"[\n" + pair(1) + b",\n" + pair(2) + b"\n]")
    assert len(account.lines(f"runs/{run_id}/judge/0/rows.jsonl")) == 2


def test_a_recipe_names_the_columns_of_a_dropped_file(dataset_of, account):
    account.put(
        "recipes/own.yaml",
        account.read("recipes/own.yaml")
        + b"\nmap: {prompt: question, response_A: output_1, response_B: output_2, ignore: notes}\n",
    )
    row = {"question": "Q", "output_1": "a", "output_2": "b", "notes": "n", "context": "C"}
    run_id, _ = dataset_of(json.dumps(row).encode())
    (sent,) = account.lines(f"runs/{run_id}/judge/0/input/llm_judge.jsonl")
    assert sent == {"prompt": "C\n\nQ", "response_A": "a", "response_B": "b"}
    assert "lines" not in account.json(f"runs/{run_id}/request.json") or (
        account.json(f"runs/{run_id}/request.json")["lines"] is None
    )


def test_answers_under_another_name_stop_the_run_before_anything_is_paid(plan):
    row = {"prompt": "Q", "response_a": "a", "response_b": "b"}
    expected = r"`response_a`, `response_b` may hold answers.*--map .*response_A=response_a"
    with pytest.raises(InputFileError, match=expected):
        plan(json.dumps(row).encode())
