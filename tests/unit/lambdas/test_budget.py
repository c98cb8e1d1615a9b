"""A run never asks AWS for more than its budget was compared with, however often it is retried."""

import json
import random

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from lambdas import build_jobs, claim_run, generate_responses, plan_evaluation
from nova_judge.aws import account as account_facts
from nova_judge.errors import BudgetError
from nova_judge.preflight.rules import Facts
from tests.unit.conftest import BUCKET

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:nova-judge-dev-evaluation:one"
PLANS = 24


class Faults:
    """AWS refuses one call, at random, of every so many; a state is retried as the machine does."""

    def __init__(self, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self._chance, self._left, self.met = chance, 0, 0
        call = BaseClient._make_api_call

        def faulty(client, operation, given):
            self._left -= 1
            if self._left == 0:
                self.met += 1
                answer = {"Error": {"Code": "InternalError", "Message": "of the test"}}
                raise ClientError(answer, operation)
            return call(client, operation, given)

        monkeypatch.setattr(BaseClient, "_make_api_call", faulty)

    def retried(self, state, *given):
        """The state's answer; the first two tries may meet a fault, after the work or before."""
        for attempt in range(3):
            self._left = self._chance.randint(1, 12) if attempt < 2 else 0
            try:
                return json.loads(json.dumps(state(*given)))
            except ClientError:
                continue
            finally:
                self._left = 0
        raise AssertionError("a state without faults failed")


def asked_hours(jobs: list[dict]) -> float:
    return (
        sum(
            job["request"]["StoppingCondition"]["MaxRuntimeInSeconds"]
            * job["request"]["ResourceConfig"]["InstanceCount"]
            for job in jobs
        )
        / 3600
    )


def judge_hours(bill: dict) -> float:
    return sum(line["quantity"] for line in bill["lines"] if line["part"] == "judge")


@pytest.mark.parametrize("seed", range(PLANS))
def test_what_a_run_asks_for_was_in_the_estimate_that_its_budget_allowed(
    seed, account, context, recipe, monkeypatch
):
    chance = random.Random(seed)  # noqa: S311 - a test's own chance
    facts = Facts(region="us-east-1", caller="arn:function")
    monkeypatch.setattr(account_facts, "facts_of_run", lambda *_, **__: facts)
    rows, per_job = chance.randint(1, 40), chance.randint(1, 20)
    controls = chance.choice(("[]", "[same_answer]", "[padded, repeat]"))
    stop = chance.choice(("", "stop: when_decided\n"))
    more = f"\n{stop}controls: {controls}\n"
    content = b"\n".join(
        json.dumps(
            {"id": f"r{n}", "prompt": f"Question {n}?", "response_A": "a", "response_B": "b"}
        ).encode()
        for n in range(rows)
    )
    account.put("inbox/own/pairs.jsonl", content)
    event = {
        "input": {"input": f"s3://{BUCKET}/inbox/own/pairs.jsonl", "recipe": "own"},
        "execution": EXECUTION,
        "started": "2026-11-21T18:00:00Z",
    }
    recipe(rows=per_job, more=more)
    likely = plan_evaluation.handler(event, context)["run"]["estimate"]["likely"]["usd"]
    budget = likely * chance.choice((0.5, 0.99, 1.001, 2))
    recipe(rows=per_job, more=f"{more}budget: {{max_usd: {budget}}}\n")
    faults = Faults(chance, monkeypatch)

    if budget < likely:
        with pytest.raises(BudgetError, match=r"above budget\.max_usd"):
            faults.retried(plan_evaluation.handler, event, context)
        assert account.keys("runs/") == []
        assert account.table.scan()["Count"] == 0
        return

    planned = faults.retried(plan_evaluation.handler, event, context)
    estimate = planned["run"]["estimate"]
    assert estimate["likely"]["usd"] <= budget
    claims = [faults.retried(claim_run.handler, planned, context) for _ in range(2)]
    run_id = claims[0]["run_id"]
    for shard in account.json(claims[0]["shards_key"]):
        given = {"run_id": run_id, "shard": shard, "endpoints": []}
        faults.retried(generate_responses.handler, given, context)
    asked = {"run_id": run_id, "region": "us-east-1"}
    built = [faults.retried(build_jobs.handler, asked, context) for _ in range(2)]
    assert built[0] == built[1]  # the names too: a job that is asked for again is the same job
    jobs = built[0]["jobs"] + built[0]["later"]
    names = [job["request"]["TrainingJobName"] for job in jobs]
    assert len(set(names)) == len(names)
    assert asked_hours(jobs) <= judge_hours(estimate["worst"]) + 1e-9
    assert account.table.scan()["Count"] == 1
