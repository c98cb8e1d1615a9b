"""Events that a trigger's rule must take or leave, by the pattern that is deployed."""

from collections.abc import Iterator

from nova_judge.preflight.machine_samples import Document, EventSample

JOBS, PACKAGES = "SageMaker Training Job State Change", "SageMaker Model Package State Change"
_SOURCE, _PENDING = "aws.sagemaker", "PendingManualApproval"


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
