"""Inputs of states whose outcome is known, and events that rules must take or leave."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nova_judge.layout import INBOX, RUNS, UNSTARTED
from nova_judge.runs.job_outcome import EVENT_SOURCE, JOBS_COMPLETED

Document = Mapping[str, Any]
JOBS, PACKAGES = "SageMaker Training Job State Change", "SageMaker Model Package State Change"
_SOURCE, _PENDING = "aws.sagemaker", "PendingManualApproval"


class StateSample(NamedTuple):
    """A state that runs for nothing: what it is given, and the state that must follow.

    `output` is what it must make of it, where it makes something.
    """

    state: str
    given: Document
    follows: str
    output: Document | None = None


STATE_SAMPLES = (
    StateSample("IsForEvaluation", {"object": {"key": f"{RUNS}r/x.json"}}, "NotForEvaluation"),
    StateSample(
        "IsForEvaluation", {"object": {"key": f"{INBOX}pairwise/_SUCCESS"}}, "NotForEvaluation"
    ),
    StateSample(
        "IsForEvaluation", {"object": {"key": f"{INBOX}pairwise/x.jsonl"}}, "PlanEvaluation"
    ),
    StateSample("IsForEvaluation", {"recipe": "pairwise"}, "PlanEvaluation"),
    StateSample("IsClaimed", {"claimed": False}, "AlreadyClaimed"),
    StateSample("AreEndpointsReady", {"prepared": {"ready": True}}, "GenerateResponses"),
    StateSample("AreEndpointsReady", {"prepared": {"ready": False}}, "WaitForEndpoints"),
    StateSample("IsBatchInferenceAsked", {"batch": True}, "BatchResponses"),
    StateSample("IsBatchInferenceAsked", {"batch": False}, "BuildJobs"),
    StateSample("AreFilesWritten", {"dataset": {"pieces": ""}}, "WhoRunsTheJobs"),
    StateSample("AreFilesWritten", {"dataset": {"pieces": "runs/r/k"}}, "WriteJobFiles"),
    StateSample("WhoRunsTheJobs", {"dataset": {"api": "bedrock"}}, "RunBedrockJobs"),
    StateSample("WhoRunsTheJobs", {"dataset": {"api": "serverless"}}, "RunServerlessJobs"),
    StateSample("AwaitReport", {}, "ReadReport", {"looks": 0}),
    StateSample(
        "ReadNextJob",
        {"report": {"item": {"next_job": {"S": "2"}}}},
        "IsNextJobNew",
        {"next": {"number": 2}},
    ),
    StateSample(
        "TakeNextJob",
        {"next": {"number": 1}, "dataset": {"api": "sagemaker", "later": [{"n": 1}, {"n": 2}]}},
        "WhoRunsTheJobs",
        {
            "dataset": {
                "jobs": [{"n": 1}],
                "later": [{"n": 1}, {"n": 2}],
                "done": 2,
                "api": "sagemaker",
            }
        },
    ),
    StateSample("CountLook", {"looks": 4}, "KeepLook", {"counted": {"looks": 5}}),
    StateSample("KeepLook", {"counted": {"looks": 5}}, "ReadReport", {"looks": 5}),
)
"""The samples that intrinsic functions, paths and choices of the definition rest on."""


class EventSample(NamedTuple):
    """An event, and the rule that must take it, or must leave it (`taken` is false)."""

    rule: str
    what: str
    source: str
    detail_type: str
    detail: Document
    taken: bool


_SENT = {
    "StartOnUpload": ("aws.s3", "Object Created"),
    "ProcessOnJobEnd": (_SOURCE, JOBS),
    "ProcessOnJobsCompleted": (EVENT_SOURCE, JOBS_COMPLETED),
    "CleanUpAfterAbort": ("aws.states", "Step Functions Execution Status Change"),
}
"""Source and type of the events that a rule of a stage is for."""


def event_samples(stage: str, bucket: str, machine: str) -> Iterator[EventSample]:
    """Events as AWS documents them, for each rule of a stage.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """

    def sample(rule: str, what: str, detail: Document, *, taken: bool) -> EventSample:
        return EventSample(rule, what, *_SENT[rule], detail, taken)

    # An upload starts a run, unless it lies elsewhere.
    for key, taken in (
        (f"{INBOX}pairwise/questions.jsonl", True),
        (f"{INBOX}pairwise/a folder/", False),
        (f"{RUNS}r/report/metrics.json", False),
        (f"{UNSTARTED}questions.jsonl", False),
    ):
        yield sample("StartOnUpload", f"an upload to {key}", _upload(bucket, key), taken=taken)
    # A judge job of the stage that ended leaves a report.
    ours = f"nova-judge-{stage}-r-0123-0-0"
    for name, status, taken in (
        *((ours, status, True) for status in ("Completed", "Failed", "Stopped")),
        (ours, "InProgress", False),
        ("somebody-elses-job", "Completed", False),
    ):
        job = {"TrainingJobName": name, "TrainingJobStatus": status}
        yield sample("ProcessOnJobEnd", f"job {name} {status}", job, taken=taken)
    # Bedrock's jobs of the stage that are done leave a report.
    for of in (stage, f"{stage}x"):
        jobs = {"stage": of, "run_id": "r", "jobs": []}
        yield sample("ProcessOnJobsCompleted", f"jobs of stage {of}", jobs, taken=of == stage)
    # An execution that ended without a Catch is cleaned up after.
    for status in ("ABORTED", "FAILED", "TIMED_OUT", "SUCCEEDED"):
        ended = {"stateMachineArn": machine, "status": status, "executionArn": f"{machine}:e"}
        what = f"an execution that is {status}"
        yield sample("CleanUpAfterAbort", what, ended, taken=status != "SUCCEEDED")


def _upload(bucket: str, key: str) -> Document:
    return {
        "version": "0",
        "bucket": {"name": bucket},
        "object": {"key": key, "size": 5, "etag": "e", "sequencer": "0"},
        "request-id": "r",
        "requester": "123456789012",
        "reason": "PutObject",
    }


def trigger_samples(stage: str, rule: str, pattern: Document) -> list[EventSample]:
    """Events as AWS documents them; those of the stage's own jobs must start nothing.

    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    detail = pattern.get("detail", {})
    of_jobs = "TrainingJobName" in detail
    return list(_jobs(stage, rule, detail) if of_jobs else _packages(rule, detail))


def _jobs(stage: str, rule: str, detail: Document) -> Iterator[EventSample]:
    begins = detail["TrainingJobName"][0]["prefix"]
    for name, status, taken in (
        (f"{begins}1", "Completed", True),
        (f"{begins}1", "Failed", False),
        (f"nova-judge-{stage}-r-0123-0-0", "Completed", False),
    ):
        job = {"TrainingJobName": name, "TrainingJobStatus": status}
        yield EventSample(rule, f"job {name} {status}", _SOURCE, JOBS, job, taken)


def _packages(rule: str, detail: Document) -> Iterator[EventSample]:
    (group,), wanted = detail["ModelPackageGroupName"], detail.get("ModelApprovalStatus")
    for name, status, ready in (
        *((group, status, "Completed") for status in ("Approved", "Rejected", _PENDING)),
        (group, _PENDING, "InProgress"),
        (f"{group}x", _PENDING, "Completed"),
    ):
        package = {
            "ModelPackageGroupName": name,
            "ModelPackageStatus": ready,
            "ModelApprovalStatus": status,
        }
        taken = name == group and ready == "Completed" and (wanted is None or status in wanted)
        yield EventSample(rule, f"package of {name} {status}", _SOURCE, PACKAGES, package, taken)
