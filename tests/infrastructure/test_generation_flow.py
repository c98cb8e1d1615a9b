"""Numbers that the state machine and the code must both hold."""

from nova_judge.answers.leases import LONGEST_RUN_S
from nova_judge.aws.batch_jobs import HOURS
from nova_judge.steps.candidates import SHARDS_AT_ONCE

EVENTS_OF_ONE_EXECUTION = 25_000
EVENTS_A_LOOK = 10


def test_an_endpoint_is_shared_by_as_many_shards_as_run_at_once(definition):
    assert definition["States"]["GenerateResponses"]["MaxConcurrency"] == SHARDS_AT_ONCE


def test_a_lease_lasts_as_long_as_an_execution_may(definition):
    assert definition["TimeoutSeconds"] == LONGEST_RUN_S


def test_a_batch_job_can_be_awaited_to_its_end(definition):
    child = definition["States"]["BatchResponses"]["ItemProcessor"]["States"]
    looks = HOURS * 3600 / child["WaitForBatchShard"]["Seconds"]
    assert looks * EVENTS_A_LOOK < EVENTS_OF_ONE_EXECUTION
