"""Nothing is leased, and paid for, while a gated model is copied."""

import types

import pytest

from lambdas import prepare_endpoints
from nova_judge.sources.served import Served
from nova_judge.steps import run_folder

GATED = Served(image="vllm", weights="meta/Model", revision="v1", secret="hub")
SETTINGS = {
    "STAGE": "dev",
    "DATA_BUCKET": "data",
    "RUNS_TABLE": "runs",
    "JOB_PREFIX": "nova-judge-dev",
    "ENDPOINTS": "{}",
}


class Context:
    aws_request_id = function_name = memory_limit_in_mb = invoked_function_arn = "x"

    def get_remaining_time_in_millis(self):
        return 600_000


@pytest.fixture
def asked(monkeypatch):
    """The copies that were asked for; leases raise."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    run = types.SimpleNamespace(serves={"own-1": GATED})
    monkeypatch.setattr(run_folder, "read_run", lambda *_: run)
    monkeypatch.setattr(prepare_endpoints.AwsWays, "key_of", lambda *words: f"key of {words[2]}")
    copies = []

    def copy_more(model, bucket, time_left):
        copies.append((*model, bucket, time_left()))
        return False

    monkeypatch.setattr(prepare_endpoints, "copy_more", copy_more)

    def lease_table(name):
        raise AssertionError(f"a lease in {name}")

    monkeypatch.setattr(prepare_endpoints, "lease_table", lease_table)
    return copies


def test_the_copy_goes_on_and_no_endpoint_is_leased(asked):
    event = {"run_id": "r", "endpoints": ["own-1", "qwen2.5-7b-instruct"]}
    assert prepare_endpoints.handler(event, Context()) == {"ready": False}
    assert asked == [("meta/Model", "v1", "key of hub", "data", 600.0)]
