"""A recipe's candidates become ports, journals and limits."""

import msgspec
import pytest

from nova_judge.answers.lane import MOST_THREADS
from nova_judge.aws.model_ports import ConversePort, EndpointPort
from nova_judge.aws.ways import AwsWays
from nova_judge.inputs.reading import GENERATED
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.files import packaged_recipe
from nova_judge.records import S3Object
from nova_judge.steps import candidates
from nova_judge.steps.candidates import ENDPOINT_IN_FLIGHT, SHARDS_AT_ONCE, sources
from tests.made import asked_runs


@pytest.fixture(autouse=True)
def region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def run_of(text, size=1, **changes):
    base = packaged_recipe("pairwise").partition("candidates:")
    judge = base[2].partition("judge:")
    recipe = load_recipe(f"{base[0]}{text}\njudge:{judge[2]}", file="x.yaml")
    place = S3Object("bucket", "inbox/x.jsonl", "v", size)
    run = asked_runs.run_of(recipe, GENERATED, input=place)
    return msgspec.structs.replace(run, **changes)


MIXED = """
candidates:
  A: {endpoint: qwen2.5-1.5b-instruct}
  B: {bedrock: us.anthropic.claude-sonnet-4-6, generation: {call_timeout_s: 20, tries: 7}}
"""
SAME = """
candidates:
  A: {bedrock: amazon.nova-lite-v1:0}
  B: {bedrock: amazon.nova-lite-v1:0, generation: {seed: %d}}
"""


def test_each_candidate_gets_the_port_and_the_limits_of_its_own_settings():
    found = sources(run_of(MIXED), 0, "bucket", AwsWays("nova-judge-dev"), ["A", "B"])
    assert isinstance(found["A"].port, EndpointPort)
    assert isinstance(found["B"].port, ConversePort)
    assert (found["A"].call_timeout_s, found["A"].policy.slow_s) == (60, 30)
    assert (found["B"].call_timeout_s, found["B"].policy.slow_s) == (20, 10)
    assert (found["A"].policy.most_tries, found["B"].policy.most_tries) == (300, 7)


@pytest.mark.parametrize("shards", [1, 3, 16, 1000])
def test_an_endpoint_never_has_more_calls_than_it_can_batch_and_bedrock_all_threads(shards):
    run = run_of(MIXED, size=shards * 4 * 1024**2)
    found = sources(run, 0, "bucket", AwsWays("nova-judge-dev"), ["A", "B"])
    at_once = min(shards, SHARDS_AT_ONCE)
    assert 1 <= found["A"].threads * at_once <= ENDPOINT_IN_FLIGHT
    assert found["B"].threads == MOST_THREADS


def test_only_who_is_asked_gets_a_source():
    assert list(sources(run_of(MIXED), 0, "bucket", AwsWays("p"), ["B"])) == ["B"]


@pytest.mark.parametrize(("seed", "same"), [(0, True), (1, False)])
def test_equal_models_share_their_answers_unless_the_seed_differs(seed, same):
    run = run_of(SAME % seed)
    assert (candidates.kept_as(run, "A") == candidates.kept_as(run, "B")) is same


def test_shards_of_a_run_with_batch_inference_are_worth_a_job():
    size = 100 * 1024**2
    assert len(list(run_of(MIXED, size=size).shards())) == 25
    assert len(list(run_of(MIXED, size=size, batch=("B",)).shards())) == 13
