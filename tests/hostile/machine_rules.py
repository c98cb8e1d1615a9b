"""What the state machine must do, and the rights that it needs for it, no more and no less."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.hostile.stage_rules import Stage, listed, statements

NEEDED = {
    "lambda:invoke": {"lambda:InvokeFunction"},
    "s3:getObject": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
    "dynamodb:getItem": {"dynamodb:GetItem"},
    "events:putEvents": {"events:PutEvents"},
    "sagemaker:createTrainingJob.sync": {
        *("sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob"),
        *("sagemaker:StopTrainingJob", "sagemaker:AddTags", "sagemaker:ListTags"),
        *("events:PutTargets", "events:PutRule", "events:DescribeRule", "iam:PassRole"),
    },
    "aws-sdk:sagemaker:createTrainingJob": {"sagemaker:CreateTrainingJob", "sagemaker:AddTags"},
    "aws-sdk:sagemaker:describeTrainingJob": {"sagemaker:DescribeTrainingJob"},
    "aws-sdk:bedrock:createEvaluationJob": {
        *("bedrock:CreateEvaluationJob", "bedrock:TagResource", "iam:PassRole"),
    },
    "aws-sdk:bedrock:getEvaluationJob": {"bedrock:GetEvaluationJob"},
}
"""By the integration that a state calls: https://docs.aws.amazon.com/step-functions (IAM pages)."""
OF_DISTRIBUTED_MAPS = {
    *("states:StartExecution", "states:DescribeExecution", "states:StopExecution"),
    "states:RedriveExecution",
}
OF_LOGS_AND_TRACES = ("logs:", "xray:")
MAPS = {
    "GenerateResponses": (16, "DISTRIBUTED"),
    "BatchResponses": (20, "DISTRIBUTED"),
    "WriteJobFiles": (16, "DISTRIBUTED"),
    "RunJudgeJobs": (2, "INLINE"),
    "AskJudge": (1, "INLINE"),
    "JudgeRows": (16, "DISTRIBUTED"),
    "RunBedrockJobs": (3, "DISTRIBUTED"),
    "RunServerlessJobs": (1, "INLINE"),
}
WAITS = {
    "WaitForEndpoints": 30,
    "WaitForEndpointsAgain": 30,
    "WaitForJudge": 30,
    "WaitForJudgeAgain": 30,
    "WaitForBatchShard": 120,
    "WaitForJudgeShard": 120,
    "WaitForReport": 10,
    "WaitForBedrockJob": "$.wait.seconds",
    "WaitForServerlessJob": "$.wait.seconds",
}
CHOICES = {
    "IsForEvaluation": "PlanEvaluation | NotForEvaluation if key?,"
    " (not key~inbox/* or key~*/_SUCCESS or key~*/_started_* or key~*/_committed_*)",
    "IsClaimed": "GenerateResponses | AlreadyClaimed if claimed=False"
    " | BuildJobs if generates=False | PrepareEndpoints if needs_endpoints=True",
    "AreEndpointsReady": "WaitForEndpoints | GenerateResponses if ready=True",
    "AreEndpointsReadyAgain": "WaitForEndpointsAgain | GenerateShard if ready=True",
    "IsShardDone": "ShardDone | GenerateShard if left>0",
    "IsEndpointToRelease": "IsBatchInferenceAsked | ReleaseEndpoints if needs_endpoints=True",
    "IsBatchInferenceAsked": "BuildJobs | BatchResponses if batch=True",
    "IsBatchShardDone": "BatchShardDone | WaitForBatchShard if left>0",
    "AreFilesWritten": "WriteJobFiles | WhoRunsTheJobs if pieces=",
    "WhoRunsTheJobs": "RunJudgeJobs | RunBedrockJobs if api=bedrock"
    " | RunServerlessJobs if api=serverless | AskJudge if api=calls",
    "IsJudgeHosted": "JudgeRows | PrepareJudge if endpoints[0]?",
    "IsJudgeReady": "WaitForJudge | JudgeRows if ready=True",
    "IsJudgeReadyAgain": "WaitForJudgeAgain | JudgeShard if ready=True",
    "IsJudgeToRelease": "CollectVerdicts | ReleaseJudge if frees[0]?",
    "IsJudgeHeld": "Reported | ReleaseHeldJudge if endpoints[0]?",
    "IsShardJudged": "ShardJudged | WaitForJudgeShard if wait=True | JudgeShard if left>0",
    "IsBedrockJobDone": "TellBedrockStatus | BedrockJobDone if Status=Completed"
    " | LengthenBedrockWait if (Status=InProgress or Status=Stopping)"
    " | TellBedrockReasons if FailureMessages?",
    "IsServerlessJobDone": "TellServerlessReason | ServerlessJobDone if TrainingJobStatus=Completed"
    " | LengthenServerlessWait if (TrainingJobStatus=InProgress or TrainingJobStatus=Stopping)",
    "IsReportReady": "WaitForReport | IsJudgeHeld if status=REPORTED"
    " | ReadNextJob if status=JUDGE_FURTHER, S?"
    " | ReportFailed if status=FAILED, not S=ABORTED, not S=TIMED_OUT, (RedriveCount=0 or looks>30)"
    " | ReportMissing if looks>360",
    "IsNextJobNew": "WaitForReport | TakeNextJob if number=$.dataset.done"
    " | ReportMissing if looks>360",
}
PAID = ("createTrainingJob", "createEvaluationJob")
GENERIC = {"States.ALL", "States.TaskFailed", "States.Timeout"}
KEPT = {
    "PrepareEndpoints": "$.prepared",
    "GenerateResponses": None,
    "ReleaseEndpoints": None,
    "BatchResponses": None,
    "BuildJobs": "$.dataset",
    "WriteJobFiles": None,
    "RunJudgeJobs": None,
    "RunBedrockJobs": "$.judged",
    "AskJudge": None,
    "CollectVerdicts": "$.collected",
    "JudgeRows": None,
    "JudgeShard": "$.judged",
    "PrepareJudge": "$.prepared",
    "PrepareJudgeAgain": "$.prepared",
    "ReleaseJudge": None,
    "ReleaseHeldJudge": None,
    "TellJobsCompleted": None,
    "RunServerlessJobs": None,
    "ReadReport": "$.report",
    "GenerateShard": "$.generated",
    "PrepareEndpointsAgain": "$.prepared",
    "BatchShard": "$.answered",
    "StartBedrockJob": "$.started",
    "LookAtBedrockJob": "$.looked",
    "StartServerlessJob": "$.started",
    "LookAtServerlessJob": "$.looked",
}
"""Where a state puts what it brings; anything else loses the run."""


def states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Name, state, and whether it stands at the top; those inside maps too."""
    for name, state in machine["States"].items():
        yield name, state, True
        if "ItemProcessor" in state:
            yield from ((n, s, False) for n, s, _ in states(state["ItemProcessor"]))


def problems(stage: Stage) -> Iterator[str]:
    """Everything that is wrong with the machine; nothing where all is well."""
    yield from rights(stage)
    machine = stage.definition
    if machine.get("TimeoutSeconds") != 345_600:
        yield f"the machine may run {machine.get('TimeoutSeconds')} s"
    for name, state, top in states(machine):
        for rule in (maps, waits, choices, failures, tries, parameters):
            for fault in rule(name, state, top):
                yield f"{name}: {fault}"
    there = {name for name, _, _ in states(machine)}
    for wanted in (MAPS, WAITS, CHOICES, KEPT):
        yield from (f"{name} is gone" for name in set(wanted) - there)


def rights(stage: Stage) -> Iterator[str]:
    """The role of the machine may do what its states ask for, on our resources, and no more."""
    (machine,) = stage.of("StepFunctions::StateMachine").values()
    role = machine["RoleArn"].rsplit("/", 1)[-1]
    given, passed, called = set[str](), set[str](), set[str]()
    for policy in stage.of("IAM::Policy").values():
        if role in listed(policy["Roles"]):
            for one in statements(policy):
                given |= set(listed(one["Action"]))
                if "iam:PassRole" in listed(one["Action"]):
                    services = one.get("Condition", {}).get("StringEquals", {})
                    passed |= set(listed(services.get("iam:PassedToService", "any")))
                if "lambda:InvokeFunction" in listed(one["Action"]):
                    called |= set(listed(one["Resource"]))
    wanted = set(OF_DISTRIBUTED_MAPS)
    functions = set[str]()
    for _, state, _ in states(stage.definition):
        for part in (state, state.get("ItemReader", {})):
            if "Resource" in part:
                wanted |= NEEDED.get(part["Resource"].split(":states:::")[-1], {"unknown"})
        name = state.get("Parameters", {}).get("FunctionName")
        functions |= {name} if name else set()
    own = {action for action in given if not action.startswith(OF_LOGS_AND_TRACES)}
    yield from (f"the machine may not {action}" for action in wanted - own)
    yield from (f"the machine may {action} for nothing" for action in own - wanted)
    if passed != {"sagemaker.amazonaws.com", "bedrock.amazonaws.com"}:
        yield f"the machine passes roles to {sorted(passed)}"
    if called != functions:
        yield f"the machine calls {sorted(called ^ functions)}"


def maps(name: str, state: dict[str, Any], _top: bool) -> Iterator[str]:
    if state["Type"] != "Map":
        return
    mode = state["ItemProcessor"]["ProcessorConfig"]
    if (state.get("MaxConcurrency"), mode["Mode"]) != MAPS.get(name):
        yield f"{state.get('MaxConcurrency')} at once, {mode['Mode']}"
    if mode.get("ExecutionType", "STANDARD") != "STANDARD":
        yield "its children run five minutes"
    if any(key.startswith("Tolerated") for key in state):
        yield "failures are tolerated"


def waits(name: str, state: dict[str, Any], _top: bool) -> Iterator[str]:
    if state["Type"] == "Wait" and state.get("Seconds", state.get("SecondsPath")) != WAITS.get(
        name
    ):
        yield "another wait"


def choices(name: str, state: dict[str, Any], _top: bool) -> Iterator[str]:
    if state["Type"] == "Choice":
        branches = [f"{one['Next']} if {said(one)}" for one in state["Choices"]]
        shown = " | ".join([str(state.get("Default")), *branches])
        if shown != CHOICES.get(name):
            yield f"other branches: {shown}"


def said(condition: dict[str, Any]) -> str:
    """A condition in few words."""
    if "And" in condition:
        return ", ".join(map(said, condition["And"]))
    if "Or" in condition:
        return f"({' or '.join(map(said, condition['Or']))})"
    if "Not" in condition:
        return f"not {said(condition['Not'])}"
    (operator,) = condition.keys() - {"Variable", "Next", "Comment"}
    variable, value = condition["Variable"].rsplit(".", 1)[-1], condition[operator]
    if operator == "IsPresent":
        return f"{variable}?" if value else f"no {variable}"
    if operator == "NumericGreaterThan":
        return f"{variable}>{value}"
    return f"{variable}{'~' if operator == 'StringMatches' else '='}{value}"


def failures(name: str, state: dict[str, Any], top: bool) -> Iterator[str]:
    """A failure at the top is recorded; the error stands beside the run, which must stay."""
    recorded = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "RecordFailure"}
    works = top and state["Type"] in ("Task", "Map") and name != "RecordFailure"
    if works and state.get("Catch") != [recorded]:
        yield "its failure is not recorded"
    if name in KEPT and state.get("ResultPath", "$") != KEPT[name]:
        yield f"what it brings goes to {state.get('ResultPath', '$')}"
    if (
        name in ("GenerateShard", "JudgeShard", "StartServerlessJob")
        and len(state.get("Catch", [])) != 1
    ):
        yield "what can be mended is not caught"


def tries(name: str, state: dict[str, Any], _top: bool) -> Iterator[str]:
    """What passes is tried again, what is paid for only where nothing was begun."""
    if state["Type"] != "Task":
        return
    retries = state.get("Retry", [])
    named = {error for one in retries for error in one["ErrorEquals"]}
    if not retries or any(one.get("MaxAttempts", 3) < 3 for one in retries):
        yield "too few tries"
    if any(one.get("BackoffRate", 1) <= 1 for one in retries):
        yield "tries do not slow down"
    resource = state["Resource"]
    if any(job in resource for job in PAID) and named & GENERIC:
        yield "a paid job may be started twice"
    if "lambda:invoke" in resource:
        (busy, *_) = [one for one in retries if "TooManyRequests" in str(one)] or [{}]
        if busy.get("MaxAttempts", 0) < 100 or "Lambda.ServiceException" not in named:
            yield "it does not wait for a function"
    if any(job in resource for job in PAID):
        quotas = [one for one in retries if re.search("Limit|Quota", str(one["ErrorEquals"]))]
        if not quotas or quotas[0].get("MaxAttempts", 3) < 24:
            yield "it does not wait for a quota"


def parameters(name: str, state: dict[str, Any], _top: bool) -> Iterator[str]:
    text = json.dumps(state)
    if "createTrainingJob.sync" in text and state["Type"] == "Task":
        if "RedriveCount" not in state["Parameters"].get("TrainingJobName.$", ""):
            yield "a redrive meets its own job"
        if len(state["Parameters"]) != 9:
            yield "a field of the request is lost"
    if "createEvaluationJob" in text and state["Type"] == "Task":
        token = state["Parameters"].get("ClientRequestToken.$", "")
        if "RedriveCount" not in token or len(state["Parameters"]) != 8:
            yield "a field of the request is lost"
    if "createTrainingJob" in state.get("Resource", "") and not (
        state["Resource"].endswith(".sync") or "aws-sdk" in state["Resource"]
    ):
        yield "nobody awaits the job"
    if "dynamodb" in state.get("Resource", "") and not state["Parameters"].get("ConsistentRead"):
        yield "it may read what was"
    if "lambda:invoke" in state.get("Resource", "") and not state["Parameters"].get("FunctionName"):
        yield "it calls nothing"
    if name == "RecordFailure" and state.get("Next") != "EvaluationFailed":
        yield "a failed run succeeds"
    if name in ("Reported",) and not state.get("End"):
        yield "it does not end"
