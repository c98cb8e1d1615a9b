"""The state machine on a second interpreter, moto's, which reads the ASL on its own.

It has no `.sync`, SageMaker or Bedrock integrations, and no redrive count: every task is answered
here, and the count is 0. States, maps (the distributed ones too), choices, paths, intrinsic
functions and catches are moto's.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import ryaml
from moto import mock_aws

from nova_judge.folders import ROOT

DEFINITION = (ROOT / "stacks/evaluation.asl.yaml").read_text("utf-8")
ROLE = "arn:aws:iam::123456789012:role/machine"
Answer = Callable[[dict[str, Any]], Any]
PLANNED = {
    "run_id": "run-1",
    "bucket": "data",
    "shards_key": "runs/run-1/shards.json",
    "claimed": True,
    "generates": True,
    "needs_endpoints": False,
    "batch": False,
    "endpoints": ["small"],
    "instances": {},
}
JOB = {
    "TrainingJobName": "job",
    **dict.fromkeys(("RoleArn", "AlgorithmSpecification", "HyperParameters"), "r"),
    **dict.fromkeys(("InputDataConfig", "ResourceConfig", "StoppingCondition", "Tags"), "r"),
    "OutputDataConfig": {"S3Uri": "s3://data/out"},
    "JobName": "job",
    **dict.fromkeys(("ApplicationType", "EvaluationConfig", "InferenceConfig", "JobTags"), "r"),
}
COLLECTED = {"number": 0, "name": "job", "output": "s3://data/out", "tokens": [1, 2]}
REPORTED = {
    "status": {"S": "REPORTED"},
    "report": {"S": "s3://data/report.html"},
    "headline": {"S": "B wins"},
}


REQUESTS = "runs/run-1/job_requests.json"


class FailedError(Exception):
    """A task that fails by this name."""


def built(api: str = "nova", jobs: int = 2, later: int = 0) -> dict[str, Any]:
    requests = [{"number": number, "request": JOB} for number in range(jobs + later)]
    given = {"api": api, "jobs": requests[:jobs], "later": requests[jobs:], "done": jobs}
    return given | {"requests": REQUESTS, "pieces": ""}


class Tasks:
    """What each state's task answers, one after another and the last one on; who was called."""

    def __init__(self, **answers: list[Any]) -> None:
        self._answers: dict[str, list[Any]] = {
            "PlanEvaluation": [PLANNED],
            "ClaimRun": [PLANNED],
            "PrepareEndpoints": [{"ready": True}],
            "GenerateResponses": [{"left": 0}],
            "ReleaseEndpoints": [{}],
            "BatchResponses": [{"left": 0}],
            "BuildJobs": [built()],
            "WriteJobFiles": [{}],
            "JudgeRows": [{"left": 0, "wait": False}],
            "CollectVerdicts": [COLLECTED],
            "RecordFailure": [{"error": "Told", "cause": "why"}],
            "createTrainingJob.sync": [{"TrainingJobName": "job"}],
            "createTrainingJob": [{}],
            "createEvaluationJob": [{"JobArn": "arn:job"}],
            "getEvaluationJob": [{"Status": "Completed", "JobName": "job-0"}],
            "describeTrainingJob": [{"TrainingJobStatus": "Completed"}],
            "putEvents": [{}],
            "getItem": [{"Item": REPORTED}],
            **answers,
        }
        self.called: list[str] = []
        self.given: list[tuple[str, Any]] = []

    def answer(self, resource: str, parameters: dict[str, Any]) -> Any:
        action = resource.rsplit(":", 1)[-1]
        name = parameters["FunctionName"].rsplit(":", 1)[-1] if action == "invoke" else action
        self.called.append(name)
        self.given.append((name, parameters))
        those = self._answers[name]
        answered = those.pop(0) if len(those) > 1 else those[0]
        if isinstance(answered, FailedError):
            raise answered
        return {"StatusCode": 200, "Payload": answered} if action == "invoke" else answered


class Machine:
    """The definition, created in moto."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._client = boto3.client("stepfunctions", region_name="us-east-1")
        definition = re.sub(
            r"\$\{(\w+)\}",
            lambda found: {"Partition": "aws", "Region": "us-east-1", "Stage": "dev"}.get(
                found[1], f"arn:aws:lambda:us-east-1:123456789012:function:{found[1]}"
            ),
            DEFINITION,
        )
        self._arn = self._client.create_state_machine(
            name="evaluation", definition=json.dumps(ryaml.loads(definition)), roleArn=ROLE
        )["stateMachineArn"]

    def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """The execution once it has ended."""
        started = self._client.start_execution(stateMachineArn=self._arn, input=json.dumps(given))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            described = self._client.describe_execution(executionArn=started["executionArn"])
            if described["status"] != "RUNNING":
                return dict(described)
            time.sleep(0.05)
        raise AssertionError(f"it never ended: {self._tasks.called}")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import (
        lambda_eval_utils,
        state_task_factory,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_lambda,
    )
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function
    from moto.stepfunctions.parser.asl.eval import states

    tasks: list[Tasks] = []

    class Stub(state_task_service_lambda.StateTaskServiceLambda):
        def _validate_service_integration_is_supported(self) -> None:
            pass

        def _get_supported_parameters(self) -> None:
            return None

        def _normalise_parameters(self, *_: object, **__: object) -> None:
            pass

        def _normalise_response(self, *_: object, **__: object) -> None:
            pass

        def _is_integration_pattern(self) -> bool:
            return False

        def _eval_service_task(
            self, env: Any, resource_runtime_part: Any, normalised_parameters: Any, **_: Any
        ) -> None:
            try:
                answered = tasks[0].answer(self.resource.resource_arn, normalised_parameters)
            except FailedError as error:
                payload = json.dumps({"errorType": str(error), "errorMessage": "it failed"})
                raise lambda_eval_utils.LambdaFunctionErrorException(
                    "Unhandled", payload
                ) from error
            env.stack.append(json.loads(json.dumps(answered)))

    monkeypatch.setattr(state_task_factory, "state_task_service_for", lambda service_name: Stub())
    begin = states.States.__init__

    def with_count(self: Any, context: Any) -> None:
        context["Execution"].setdefault("RedriveCount", 0)
        begin(self, context)

    monkeypatch.setattr(states.States, "__init__", with_count)
    wait = wait_function.WaitFunction
    monkeypatch.setattr(wait, "_wait_interval", lambda self, env, wait_seconds: None)

    def start(asked: Tasks, given: dict[str, Any] | None = None) -> dict[str, Any]:
        tasks.append(asked)
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="data")
        shards = json.dumps([{"index": n, "start": n, "end": n + 1} for n in range(3)])
        s3.put_object(Bucket="data", Key=PLANNED["shards_key"], Body=shards.encode())
        requests = json.dumps([{"number": 0, "request": JOB}])
        s3.put_object(Bucket="data", Key=REQUESTS, Body=requests.encode())
        return Machine(asked).run(given or {"input": "s3://data/inbox/x", "recipe": "pairwise"})

    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield start


def ended(execution: dict[str, Any]) -> tuple[str, str]:
    return execution["status"], execution.get("error", "")


def test_an_object_outside_the_inbox_starts_nothing(run):
    tasks = Tasks()
    assert ended(run(tasks, {"object": {"key": "elsewhere/x"}})) == ("SUCCEEDED", "")
    assert tasks.called == []


def test_ready_answers_are_judged_and_reported(run):
    tasks = Tasks(ClaimRun=[{**PLANNED, "generates": False}])
    execution = run(tasks)
    assert ended(execution) == ("SUCCEEDED", "")
    assert json.loads(execution["output"]) == {
        "run_id": "run-1",
        "report": "s3://data/report.html",
        "headline": "B wins",
    }
    begin = ["PlanEvaluation", "ClaimRun", "BuildJobs"]
    assert tasks.called == [*begin, *["createTrainingJob.sync"] * 2, "getItem"]
    names = [given["TrainingJobName"] for name, given in tasks.given if "sync" in name]
    assert names == ["job-0", "job-0"]


def test_a_run_of_another_execution_is_left_alone(run):
    tasks = Tasks(ClaimRun=[{**PLANNED, "claimed": False, "owner": "another"}])
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    assert tasks.called == ["PlanEvaluation", "ClaimRun"]


def test_endpoints_are_awaited_used_by_every_shard_and_released(run):
    tasks = Tasks(
        ClaimRun=[{**PLANNED, "needs_endpoints": True}],
        PrepareEndpoints=[{"ready": False}, {"ready": True}],
        GenerateResponses=[{"left": 5}, {"left": 0}],
    )
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    assert tasks.called[2:4] == ["PrepareEndpoints"] * 2
    assert tasks.called[4:8] == ["GenerateResponses"] * 4  # three shards, one of them twice
    assert tasks.called[8:10] == ["ReleaseEndpoints", "BuildJobs"]


def test_a_shard_whose_endpoint_went_away_prepares_it_in_the_names_of_both(run):
    tasks = Tasks(
        ClaimRun=[{**PLANNED, "needs_endpoints": True}],
        GenerateResponses=[FailedError("EndpointGoneError"), {"left": 0}],
    )
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    asking = [given["Payload"]["executions"] for name, given in tasks.given if "Prepare" in name]
    assert [len(executions) for executions in asking] == [1, 2]
    assert asking[1][0] == asking[0][0]


def test_a_fault_of_any_function_is_recorded_and_fails_the_execution(run):
    tasks = Tasks(PlanEvaluation=[FailedError("BudgetError")])
    assert ended(run(tasks)) == ("FAILED", "Told")
    assert tasks.called == ["PlanEvaluation", "RecordFailure"]
    (recorded,) = [given for name, given in tasks.given if name == "RecordFailure"]
    assert recorded["Payload"]["state"]["error"]["Error"] == "BudgetError"


def test_batch_inference_is_looked_at_until_it_is_done(run):
    tasks = Tasks(ClaimRun=[{**PLANNED, "batch": True}], BatchResponses=[{"left": 1}, {"left": 0}])
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    assert tasks.called.count("BatchResponses") == 4


def test_files_of_very_many_rows_are_written_side_by_side(run):
    tasks = Tasks(
        ClaimRun=[{**PLANNED, "generates": False}],
        BuildJobs=[{**built(), "pieces": PLANNED["shards_key"]}],
    )
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    assert tasks.called[2:6] == ["BuildJobs", *["WriteJobFiles"] * 3]
    given = [given["Payload"] for name, given in tasks.given if name == "WriteJobFiles"]
    assert [sorted(each) for each in given] == [["piece", "run_id"]] * 3
    assert tasks.called[6:] == [*["createTrainingJob.sync"] * 2, "getItem"]


def test_the_end_of_each_job_that_is_asked_by_calls_is_told(run):
    jobs = asked_on(False, False, endpoints=())
    tasks = Tasks(ClaimRun=[{**PLANNED, "generates": False}], BuildJobs=[jobs])
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    of_job = [*["JudgeRows"] * 3, "CollectVerdicts", "putEvents"]
    assert tasks.called[3:] == [*of_job * 2, "getItem"]
    told = [given["Entries"][0]["Detail"] for name, given in tasks.given if name == "putEvents"]
    assert told == [{"stage": "dev", "run_id": "run-1", "jobs": [COLLECTED]}] * 2


def test_jobs_of_bedrock_are_looked_at_and_their_end_is_told(run):
    tasks = Tasks(
        ClaimRun=[{**PLANNED, "generates": False}],
        BuildJobs=[built("bedrock", jobs=1)],
        getEvaluationJob=[{"Status": "InProgress"}, {"Status": "Completed", "JobName": "job-0"}],
    )
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    assert tasks.called[3:] == [
        *("createEvaluationJob", "getEvaluationJob", "getEvaluationJob", "putEvents", "getItem")
    ]
    (told,) = [given for name, given in tasks.given if name == "putEvents"]
    assert told["Entries"][0]["Detail"]["jobs"] == [
        {"number": 0, "name": "job-0", "output": "s3://data/out"}
    ]


def test_serverless_jobs_run_one_after_the_other(run):
    tasks = Tasks(
        ClaimRun=[{**PLANNED, "generates": False}],
        BuildJobs=[built("serverless")],
        describeTrainingJob=[
            {"TrainingJobStatus": "InProgress"},
            {"TrainingJobStatus": "Completed"},
        ],
    )
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    looks = ["describeTrainingJob"]
    jobs = ["createTrainingJob", *looks * 2, "createTrainingJob", *looks]
    assert tasks.called[3:] == [*jobs, "getItem"]


def asked_on(*frees: bool, endpoints: tuple[str, ...] = ("big",), later: int = 0) -> dict[str, Any]:
    """Jobs of a judge that is asked by calls on an endpoint; each frees it or keeps it."""
    requests = [
        {
            "number": number,
            "request": {
                "name": "job",
                "shards": PLANNED["shards_key"],
                "endpoints": list(endpoints),
                "instances": {},
                "frees": list(endpoints) if free else [],
            },
        }
        for number, free in enumerate(frees)
    ]
    done = len(frees) - later
    given = {"jobs": requests[:done], "later": requests[done:], "done": done}
    return built("calls") | given


READY = {**PLANNED, "generates": False}


def test_a_judges_endpoint_is_there_while_it_is_asked_and_not_longer(run):
    tasks = Tasks(
        ClaimRun=[READY],
        BuildJobs=[asked_on(False, True)],
        PrepareEndpoints=[{"ready": False}, {"ready": True}],
    )
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    end = ["CollectVerdicts", "putEvents"]
    first = ["PrepareEndpoints", "PrepareEndpoints", *["JudgeRows"] * 3, *end]
    second = ["PrepareEndpoints", *["JudgeRows"] * 3, "ReleaseEndpoints", *end]
    assert tasks.called[3:] == [*first, *second, "getItem"]
    (released,) = [given for name, given in tasks.given if name == "ReleaseEndpoints"]
    assert released["Payload"] == {"run_id": "run-1", "endpoints": ["big"]}


def test_a_judge_that_is_there_already_is_asked_at_once(run):
    tasks = Tasks(ClaimRun=[READY], BuildJobs=[asked_on(False, endpoints=())])
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    assert tasks.called[3:] == [*["JudgeRows"] * 3, "CollectVerdicts", "putEvents", "getItem"]


def test_a_shard_whose_judge_went_away_prepares_it_in_the_names_of_both(run):
    gone = FailedError("EndpointGoneError")
    tasks = Tasks(
        ClaimRun=[READY],
        BuildJobs=[asked_on(True)],
        JudgeRows=[gone, {"left": 0, "wait": False}],
        PrepareEndpoints=[{"ready": True}, {"ready": False}, {"ready": True}],
    )
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    asking = [given["Payload"]["executions"] for name, given in tasks.given if "Prepare" in name]
    assert [len(executions) for executions in asking] == [1, 2, 2]
    assert asking[1][0] == asking[0][0]
    assert tasks.called.count("JudgeRows") == 4


def test_a_judge_that_was_kept_for_further_rows_is_given_up_with_the_report(run):
    tasks = Tasks(ClaimRun=[READY], BuildJobs=[asked_on(False, True, later=1)])
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    end = ["CollectVerdicts", "putEvents", "getItem", "ReleaseEndpoints"]
    assert tasks.called[3:] == ["PrepareEndpoints", *["JudgeRows"] * 3, *end]


def test_an_endpoint_that_cannot_be_had_for_the_judge_fails_the_run(run):
    tasks = Tasks(
        ClaimRun=[READY],
        BuildJobs=[asked_on(True)],
        PrepareEndpoints=[FailedError("EndpointError")],
    )
    assert ended(run(tasks)) == ("FAILED", "Told")
    assert tasks.called[3:] == ["PrepareEndpoints", "RecordFailure"]


def test_judging_goes_on_until_the_rows_decide(run):
    further = {"status": {"S": "JUDGE_FURTHER"}, "next_job": {"S": "1"}}
    tasks = Tasks(
        ClaimRun=[{**PLANNED, "generates": False}],
        BuildJobs=[built(jobs=1, later=2)],
        getItem=[{"Item": further}, {"Item": further}, {"Item": REPORTED}],
    )
    assert ended(run(tasks)) == ("SUCCEEDED", "")
    assert tasks.called.count("createTrainingJob.sync") == 2


def test_a_report_that_could_not_be_written_fails_the_run_in_its_words(run):
    failed = {"status": {"S": "FAILED"}, "error": {"S": "JudgeJobError"}, "cause": {"S": "why"}}
    tasks = Tasks(ClaimRun=[{**PLANNED, "generates": False}], getItem=[{"Item": failed}])
    execution = run(tasks)
    assert (*ended(execution), execution["cause"]) == ("FAILED", "JudgeJobError", "why")
