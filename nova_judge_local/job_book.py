"""The jobs of one stand-in service: entered once, listed, run in a thread, ended once."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from nova_judge.errors import LocalModeError
from nova_judge_local.job_channels import ChannelError
from nova_judge_local.sagemaker.api import ApiError, Parameters

IN_PROGRESS = "InProgress"


def now() -> datetime:
    """The moment that jobs are stamped with."""
    return datetime.now(UTC)


@dataclass(slots=True)
class JobEntry:
    """A job as it stands; `facts` is what the service keeps of it: its request, and more."""

    key: str
    name: str
    facts: Parameters
    status: str = IN_PROGRESS
    message: str = ""
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)


class JobBook:
    """Jobs by key, a name or an ARN, in the order in which they were entered.

    `lock` guards whatever is read or changed of a job by more than one call.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, JobEntry] = {}
        self._tokens: dict[str, JobEntry] = {}
        self.lock = threading.RLock()

    def enter(
        self, key: str, name: str, facts: Parameters, token: str | None, taken: ApiError | None
    ) -> tuple[JobEntry, bool]:
        """The job and whether it is new: the same token again is the same job.

        Raises `taken`, where one is given, for a name that another job has.
        """
        with self.lock:
            if token is not None and token in self._tokens:
                return self._tokens[token], False
            if taken is not None and any(job.name == name for job in self._jobs.values()):
                raise taken
            job = self._jobs[key] = JobEntry(key, name, facts)
            if token is not None:
                self._tokens[token] = job
            return job, True

    def get(self, key: str, code: str = "ResourceNotFoundException", status: int = 404) -> JobEntry:
        """The job; raises ApiError with the service's own code for one that does not exist."""
        with self.lock:
            if key not in self._jobs:
                raise ApiError(code, f"Requested resource not found: {key}", status)
            return self._jobs[key]

    def listed(self, name_contains: str = "", status: str | None = None) -> list[JobEntry]:
        """The jobs whose names contain a text, of one status where it is given."""
        with self.lock:
            return [
                job
                for job in self._jobs.values()
                if name_contains in job.name and status in (None, job.status)
            ]

    def end(self, job: JobEntry, status: str, message: str = "") -> None:
        """End a job that is in progress; one that has ended stays as it is."""
        with self.lock:
            if job.status == IN_PROGRESS:
                job.status, job.message, job.modified = status, message, now()

    def start(
        self,
        job: JobEntry,
        work: Callable[[JobEntry], str | None],
        end: Callable[[JobEntry, str | None], None] | None = None,
    ) -> None:
        """Run `work` in a thread, then `end` with the reason that it gave or raised.

        The account goes on whatever is raised, and the job says what happened.
        """
        threading.Thread(
            target=self._run, args=(job, work, end or self._completed), daemon=True, name=job.name
        ).start()

    def _run(
        self,
        job: JobEntry,
        work: Callable[[JobEntry], str | None],
        end: Callable[[JobEntry, str | None], None],
    ) -> None:
        try:
            reason = work(job)
        except (LocalModeError, ApiError, ChannelError) as error:
            reason = str(error)
        except Exception as error:
            reason = f"InternalServerError: {type(error).__name__}: {error}"
        end(job, reason)

    def _completed(self, job: JobEntry, reason: str | None) -> None:
        self.end(job, "Completed" if reason is None else "Failed", reason or "")
