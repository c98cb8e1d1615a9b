"""Training jobs that really run: the container's stand-in as a child process on `/opt/ml` files.

A job goes through the states that AWS shows and tells EventBridge of each in the documented form.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeAlias

from nova_judge_local import job_channels
from nova_judge_local.emulator_settings import EmulatorSettings, JobFault
from nova_judge_local.job_book import JobBook, JobEntry, now
from nova_judge_local.sagemaker.api import ApiError, Faults, Operation, Parameters, arn

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from nova_judge_local.engine.function_processes import Fork

FINAL = ("Completed", "Failed", "Stopped")
MAX_REASON = 1024
_EVENT_KEYS = (
    "TrainingJobName",
    "TrainingJobArn",
    "TrainingJobStatus",
    "SecondaryStatus",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "CreationTime",
    "TrainingStartTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "FailureReason",
)


Process: TypeAlias = "subprocess.Popen[bytes] | Fork"
StartContainer: TypeAlias = Callable[[Sequence[str], Path, Mapping[str, str], IO[bytes]], Process]
"""Starts a command in a folder, with an environment, and its output in a file."""


def start_process(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: IO[bytes]
) -> Process:
    """A container as a process of its own."""
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
    )


class Container(NamedTuple):
    """Command of the stand-in: `--root FOLDER` is added. Output goes to `logs/<job>.log`."""

    command: Sequence[str]
    environment: dict[str, str]
    logs: Path
    start: StartContainer = start_process


class TrainingJobs:
    """The training half of the stand-in. `publish` sends one EventBridge entry."""

    def __init__(
        self,
        settings: EmulatorSettings,
        container: Container,
        s3: "S3Client",
        publish: Callable[[dict[str, Any]], None],
    ) -> None:
        self._settings = settings
        self._container = container
        self._s3 = s3
        self._publish = publish
        self._faults = Faults(settings.job_faults)
        self._book = JobBook()
        self._processes: dict[str, Process] = {}

    def operations(self) -> dict[str, Operation]:
        """The control-plane operations, by AWS's names."""
        return {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": self.describe,
            "StopTrainingJob": self.stop,
            "ListTrainingJobs": self.list_jobs,
        }

    def create(self, parameters: Parameters) -> Parameters:
        """Start a job under a name never used before."""
        name = parameters["TrainingJobName"]
        fault = self._faults.of(name)
        if fault is not None and not self._faults.take(fault):
            fault = None
        if fault is not None and fault.outcome == "refused":
            raise ApiError("ResourceLimitExceeded", fault.reason)
        taken = ApiError(
            "ResourceInUse",
            "Training job names must be unique within an AWS account and region,"
            f" and a training job with this name already exists ({name})",
        )
        job, _ = self._book.enter(name, name, self._new(name, parameters), None, taken)
        self._book.start(job, lambda job: self._work(job.facts, fault), self._end)
        return {"TrainingJobArn": job.facts["TrainingJobArn"]}

    def describe(self, parameters: Parameters) -> Parameters:
        """The job as it stands now."""
        with self._book.lock:
            job = dict(self._job(parameters, "ValidationException"))
        job.pop("Tags", None)
        return job

    def stop(self, parameters: Parameters) -> Parameters:
        """Begin to stop a job; a job that has ended stays as it is."""
        with self._book.lock:
            job = self._job(parameters, "ResourceNotFound")
            if job["TrainingJobStatus"] in FINAL:
                raise ApiError(
                    "ValidationException",
                    "The request was rejected because the training job is in status"
                    f" {job['TrainingJobStatus']}.",
                )
            job["TrainingJobStatus"] = job["SecondaryStatus"] = "Stopping"
            process = self._processes.get(job["TrainingJobName"])
        if process is not None:
            process.terminate()
        return {}

    def list_jobs(self, parameters: Parameters) -> Parameters:
        """All jobs, the newest first."""
        keys = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingJobStatus")
        jobs = self._book.listed(parameters.get("NameContains", ""))
        return {
            "TrainingJobSummaries": [{key: job.facts[key] for key in keys} for job in jobs[::-1]]
        }

    def kill_all(self) -> None:
        """End every container that still runs."""
        for process in list(self._processes.values()):
            process.kill()

    def _new(self, name: str, parameters: Parameters) -> Parameters:
        output = parameters["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        return {
            **parameters,
            "TrainingJobArn": arn(self._settings, "training-job", name),
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Starting",
            "CreationTime": now(),
            "LastModifiedTime": now(),
            "SecondaryStatusTransitions": [],
            "ModelArtifacts": {"S3ModelArtifacts": f"{output}/{name}/output/model.tar.gz"},
        }

    def _job(self, parameters: Parameters, code: str) -> Parameters:
        return self._book.get(parameters["TrainingJobName"], code, status=400).facts

    def _work(self, job: Parameters, fault: JobFault | None) -> str | None:
        self._enter(job, "InProgress", "Starting")
        time.sleep(self._settings.job_start_s)
        with tempfile.TemporaryDirectory(prefix=f"{job['TrainingJobName']}-") as folder:
            return self._work_in(Path(folder), job, fault)

    def _work_in(self, root: Path, job: Parameters, fault: JobFault | None) -> str | None:
        """Download, run, upload; the reason when the job failed."""
        self._enter(job, "InProgress", "Downloading")
        job_channels.prepare(root, job, self._s3)
        self._enter(job, "InProgress", "Training", TrainingStartTime=now())
        if fault is not None and fault.outcome == "stopped":
            self.stop({"TrainingJobName": job["TrainingJobName"]})
        if fault is not None:
            return fault.reason
        reason = self._contain(job, root)
        if reason is None and job["TrainingJobStatus"] != "Stopping":
            self._enter(job, "InProgress", "Uploading")
            job_channels.publish(root, job, self._s3)
        return reason

    def _contain(self, job: Parameters, root: Path) -> str | None:
        """Run the container to its end; the reason when it failed."""
        name, limit = job["TrainingJobName"], job["StoppingCondition"]["MaxRuntimeInSeconds"]
        command = [*self._container.command, "--root", str(root)]
        environment = {**self._container.environment, "TRAINING_JOB_NAME": name}
        log_file = self._container.logs / f"{name}.log"
        with log_file.open("wb") as log:
            process = self._container.start(command, root, environment, log)
            with self._book.lock:
                self._processes[name] = process
                stopping = job["TrainingJobStatus"] == "Stopping"
            if stopping:
                process.terminate()
            try:
                code = process.wait(timeout=limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.stop({"TrainingJobName": name})
                return None
        return None if code == 0 else _failure(root, log_file, code)

    def _enter(self, job: Parameters, status: str, secondary: str, **more: object) -> None:
        with self._book.lock:
            if job["TrainingJobStatus"] == "Stopping" and status == "InProgress":
                status = secondary = "Stopping"
            job.update(
                TrainingJobStatus=status, SecondaryStatus=secondary, LastModifiedTime=now(), **more
            )
            job["SecondaryStatusTransitions"].append({"Status": secondary, "StartTime": now()})
            event = _state_change(job)
        self._publish(event)

    def _end(self, entry: JobEntry, reason: str | None) -> None:
        job = entry.facts
        end = now()
        seconds = int((end - job.get("TrainingStartTime", end)).total_seconds())
        times = {
            "TrainingEndTime": end,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": max(seconds, 1),
        }
        if job["TrainingJobStatus"] == "Stopping":
            self._enter(job, "Stopped", "Stopped", **times)
        elif reason is None:
            self._enter(job, "Completed", "Completed", **times)
        else:
            self._enter(job, "Failed", "Failed", FailureReason=reason[:MAX_REASON], **times)


def _failure(root: Path, log: Path, code: int) -> str:
    """Read what the container left in `output/failure`, else the last thing it wrote."""
    file = root / "output/failure"
    source = file if file.is_file() else log
    reason = source.read_text("utf-8", "replace").strip()
    if source is log:
        reason = reason.rpartition("\n")[2]
    return f"AlgorithmError: {reason}, exit code: {code}"


def _state_change(job: Parameters) -> dict[str, Any]:
    """The documented event: moments are milliseconds since the epoch as text, tags are a map."""
    detail = {key: job[key] for key in _EVENT_KEYS if key in job}
    for key, value in detail.items():
        if isinstance(value, datetime):
            detail[key] = str(int(value.timestamp() * 1000))
    tags = {tag["Key"]: tag["Value"] for tag in job.get("Tags", [])}
    detail |= {
        "VpcConfig": job.get("VpcConfig", {}),
        "SecondaryStatusTransitions": [],
        "Tags": tags,
    }
    return {
        "Source": "aws.sagemaker",
        "DetailType": "SageMaker Training Job State Change",
        "Resources": [job["TrainingJobArn"]],
        "Detail": detail,
    }
