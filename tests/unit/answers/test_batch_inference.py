"""Batch inference begins, waits, collects, and leaves to calls what it did not answer."""

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_judge.answers import batch_inference
from nova_judge.answers.answers import Answer
from nova_judge.answers.batch_inference import (
    FEWEST_RECORDS,
    MOST_RECORDS,
    JobStatus,
    all_ended,
    answers_in_batch,
    check_ended,
    input_lines,
    job_name,
    parts,
    responses,
)
from nova_judge.answers.converse import converse_request
from nova_judge.aws import batch_jobs, s3
from nova_judge.aws.batch_jobs import BatchPlace
from nova_judge.errors import GenerationFailedError
from nova_judge.inputs.reading import GENERATED
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.recipe import Generation
from nova_judge.steps import batch_shard
from nova_judge.steps.batch_shard import BatchShard
from tests.made.asked_runs import run_of

PROMPTS = [f"question {n}" for n in range(150)]
MODEL = "us.anthropic.claude-sonnet-4-6"


@pytest.mark.parametrize(
    ("batch_from", "rows", "batch"), [(None, 10**7, False), (100, 99, False), (100, 100, True)]
)
def test_the_recipe_says_from_how_many_rows_on(batch_from, rows, batch):
    assert answers_in_batch(Generation(batch_from=batch_from), rows) is batch


@given(st.integers(0, 3 * MOST_RECORDS))
def test_parts_cover_all_prompts_within_the_quotas(count):
    found = parts(range(count))
    sizes = [len(part) for part in found]
    assert sum(sizes) == (count if count >= FEWEST_RECORDS else 0)
    assert all(FEWEST_RECORDS <= size <= MOST_RECORDS for size in sizes)


def test_a_record_is_a_converse_request_under_its_place_in_the_shard():
    request = converse_request("m", Generation(max_tokens=9, temperature=None, top_p=None))
    (line,) = input_lines([7], PROMPTS, request)
    assert line == (
        b'{"recordId":"ROW00000007","modelInput":{"messages":[{"role":"user","content":'
        b'[{"text":"question 7"}]}],"inferenceConfig":{"maxTokens":9}}}\n'
    )


def test_responses_are_told_by_their_ids():
    content = b"""{"recordId": "ROW00000009", "modelInput": {}, "modelOutput": {"a": 1}}
{"recordId": "ROW00000003", "modelInput": {}, "error": {"errorCode": 400}}

{"recordId": "ROW00000001", "modelInput": {}, "modelOutput": {"a": 2}}"""
    assert list(responses(content.split(b"\n"), 10)) == [(9, {"a": 1}), (3, None), (1, {"a": 2})]


@pytest.mark.parametrize(
    "line",
    [
        b'{"modelOutput": {}}',
        b'{"recordId": "ROW00000001", "modelOutput": {"output":',
        b'{"recordId": "another", "modelOutput": {}}',
        b'{"recordId": "ROW00000010", "modelOutput": {}}',
        b'{"recordId": "ROW-0000001", "modelOutput": {}}',
        b"\xff",
    ],
)
def test_a_line_that_belongs_to_no_prompt_spoils_no_other(line):
    good = b'{"recordId": "ROW00000009", "modelOutput": {}}'
    assert list(responses([line, good], 10)) == [None, (9, {})]


@pytest.mark.parametrize("ended", ["Completed", "PartiallyCompleted", "Expired"])
@pytest.mark.parametrize("other", ["Submitted", "Validating", "Scheduled", "InProgress"])
def test_one_job_under_way_is_waited_for(ended, other):
    assert all_ended([JobStatus(ended)])
    assert not all_ended([JobStatus(ended), JobStatus(other)])


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_failed_job_ends_the_run_with_its_reason(status):
    jobs = [JobStatus("Completed"), JobStatus(status, "no access to S3")]
    assert all_ended(jobs)
    with pytest.raises(GenerationFailedError, match=rf"{status}: no access to S3.*batch_from"):
        check_ended(jobs)


def test_names_are_short_enough_and_differ_by_attempt_and_place():
    long = "x" * 80
    one, two = (job_name("nova-judge-dev", long, "ab12", place) for place in ("A-0-0", "A-1-0"))
    assert len(one) <= 63
    assert one != two
    assert job_name("nova-judge-dev", long, "cd34", "A-0-0") != one


class Account:
    """Bucket and batch jobs in memory."""

    def __init__(self, monkeypatch):
        self.objects: dict[str, bytes] = {}
        self.jobs: dict[str, Any] = {}
        self.status, self.busy = "InProgress", False
        self.failed: set[int] = set()
        objects = self.objects

        class ObjectWriter:
            def __init__(self, bucket, key):
                self.key, self.content = key, b""

            def __enter__(self):
                return self

            def __exit__(self, *_):
                objects[self.key] = self.content

            def write(self, data):
                self.content += data

        def write(bucket, key, body, content_type=""):
            objects[key] = body

        monkeypatch.setattr(s3, "ObjectWriter", ObjectWriter)
        monkeypatch.setattr(s3, "write", write)
        monkeypatch.setattr(s3, "read_if_exists", lambda bucket, key: objects.get(key))
        monkeypatch.setattr(batch_jobs, "begin", self.begin)
        monkeypatch.setattr(s3, "read", lambda bucket, key: objects[key])
        monkeypatch.setattr(s3, "describe", lambda bucket, key: objects[key])
        monkeypatch.setattr(s3, "lines", lambda content: iter(content.split(b"\n")))
        monkeypatch.setattr(
            s3, "keys", lambda bucket, prefix: sorted(k for k in objects if k.startswith(prefix))
        )
        monkeypatch.setattr(batch_jobs, "status", self.look)

    def begin(self, name, model, place, input_uri, output_uri, tags):
        if self.busy:
            return None
        role = place.role_arn
        self.jobs[name] = SimpleNamespace(
            model=model, role_arn=role, input_uri=input_uri, output_uri=output_uri, tags=tags
        )
        return f"arn:aws:bedrock:us-east-1:1:model-invocation-job/{len(self.jobs)}"

    def look(self, arn):
        failed = int(arn.rsplit("/", 1)[-1]) in self.failed
        return JobStatus("Failed", "model error") if failed else JobStatus(self.status)

    def answer(self, skip=()):
        """Let every job write its output, but for those that failed."""
        for number, job in enumerate(self.jobs.values(), 1):
            if number in self.failed:
                continue
            records = self.objects[job.input_uri.removeprefix("s3://bucket/")].splitlines()
            lines = []
            for record in map(json.loads, records):
                text = record["modelInput"]["messages"][0]["content"][0]["text"]
                if text not in skip:
                    reply = {
                        "output": {"message": {"content": [{"text": f"{text}!"}]}},
                        "stopReason": "end_turn",
                        "usage": {"inputTokens": 1, "outputTokens": 2},
                    }
                    lines.append(json.dumps({**record, "modelOutput": reply}).encode())
            key = job.output_uri.removeprefix("s3://bucket/") + f"{number}/input.jsonl.out"
            self.objects[key] = b"\n".join(reversed(lines))
        self.status = "Completed"


class Kept(dict):
    """A journal in memory."""

    def find(self, prompts):
        return {p: self[p] for p in prompts if p in self}

    def add(self, prompt, answer):
        self[prompt] = answer

    def flush(self):
        pass


@pytest.fixture
def account(monkeypatch):
    return Account(monkeypatch)


@pytest.fixture
def batch():
    recipe = load_recipe(packaged_recipe("pairwise"), file="pairwise.yaml")
    spec = msgspec.structs.replace(recipe.candidate("A"), endpoint=None, bedrock=MODEL)
    candidates = {**recipe.candidates, "A": spec}
    run = run_of(msgspec.structs.replace(recipe, candidates=candidates), GENERATED)
    how = run.recipe.generation_for("A")
    place = BatchPlace("nova-judge-dev", "arn:role", "dev")
    return BatchShard(run, "A", MODEL, how, 0, "bucket", place)


def test_a_shard_is_begun_once_awaited_and_collected_once(account, batch):
    kept = Kept({PROMPTS[0]: Answer("known")})
    assert not batch_shard.step(batch, PROMPTS, kept).done
    assert not batch_shard.step(batch, PROMPTS, kept).done
    (job,) = account.jobs.values()
    assert (job.model, job.role_arn) == (MODEL, "arn:role")
    sent = account.objects[job.input_uri.removeprefix("s3://bucket/")]
    assert sent.count(b"\n") == len(PROMPTS) - 1
    account.answer(skip=[PROMPTS[5]])
    assert batch_shard.step(batch, PROMPTS, kept).done
    assert kept[PROMPTS[0]] == Answer("known")
    assert kept[PROMPTS[9]].text == f"{PROMPTS[9]}!"
    assert kept[PROMPTS[9]].output_tokens == 2
    assert set(PROMPTS) - set(kept) == {PROMPTS[5]}
    assert batch_shard.step(batch, PROMPTS, kept).done
    assert len(account.jobs) == 1


def test_while_bedrock_takes_no_more_jobs_the_shard_waits(account, batch):
    account.busy = True
    assert not batch_shard.step(batch, PROMPTS, Kept()).done
    account.busy = False
    assert not batch_shard.step(batch, PROMPTS, Kept()).done
    assert len(account.jobs) == 1


def test_too_few_prompts_are_left_to_calls(account, batch):
    assert batch_shard.step(batch, PROMPTS[: FEWEST_RECORDS - 1], Kept()).done
    assert account.jobs == {}


def test_a_run_asked_for_again_begins_anew_with_what_is_missing(account, batch):
    kept = Kept()
    batch_shard.step(batch, PROMPTS, kept)
    again = batch._replace(run=msgspec.structs.replace(batch.run, execution="arn:another"))
    assert not batch_shard.step(again, PROMPTS, kept).done
    assert len(account.jobs) == 2


@pytest.fixture
def small_jobs(monkeypatch):
    """Two jobs a shard."""
    monkeypatch.setattr(batch_inference, "MOST_RECORDS", len(PROMPTS) - 1)


@pytest.mark.usefixtures("small_jobs")
def test_a_failed_job_loses_no_answer_of_its_siblings(account, batch):
    kept = Kept()
    batch_shard.step(batch, PROMPTS, kept)
    account.failed.add(2)
    assert not batch_shard.step(batch, PROMPTS, kept).done
    account.answer()
    with pytest.raises(GenerationFailedError, match="model error"):
        batch_shard.step(batch, PROMPTS, kept)
    assert len(kept) == len(PROMPTS) // 2


def test_lines_that_belong_to_no_prompt_are_counted(account, batch):
    kept = Kept()
    batch_shard.step(batch, PROMPTS, kept)
    account.answer()
    (output,) = (key for key in account.objects if key.endswith(".out"))
    account.objects[output] = account.objects[output].removesuffix(b"}") + b"\n"
    assert batch_shard.step(batch, PROMPTS, kept) == (True, 1)
    assert len(kept) == len(PROMPTS) - 1


def test_what_a_failed_execution_left_uncollected_is_taken_over(account, batch):
    batch_shard.step(batch, PROMPTS, Kept())
    account.answer(skip=[PROMPTS[5]])
    again = batch._replace(run=msgspec.structs.replace(batch.run, execution="arn:another"))
    kept = Kept()
    assert batch_shard.step(again, PROMPTS, kept).done
    assert set(PROMPTS) - set(kept) == {PROMPTS[5]}
    assert len(account.jobs) == 1


def test_answers_to_other_prompts_are_not_taken_over(account, batch):
    batch_shard.step(batch, PROMPTS, Kept())
    account.answer()
    again = batch._replace(run=msgspec.structs.replace(batch.run, execution="arn:another"))
    kept = Kept()
    assert not batch_shard.step(again, PROMPTS[1:], kept).done
    assert not kept
