"""Labels of a run, and its report made again, in the run's folder in S3."""

from pathlib import Path

from nova_judge.aws import s3
from nova_judge.aws.client_errors import refused_as
from nova_judge.aws.fetched_runs import is_plain
from nova_judge.errors import ReviewError


class LabelObjects:
    """The folder `labels/` of a run in S3; every reviewer writes an object of their own."""

    def __init__(self, run: str) -> None:
        self._bucket, _, prefix = run.removeprefix("s3://").partition("/")
        self._run = prefix.rstrip("/").removesuffix("/report")
        self._prefix = f"{self._run}/labels/"

    @property
    def where(self) -> str:
        return f"s3://{self._bucket}/{self._prefix.rstrip('/')}"

    def names(self) -> list[str]:
        with refused_as(self._unusable):
            keys = [key.removeprefix(self._prefix) for key in s3.keys(self._bucket, self._prefix)]
        return sorted(name for name in keys if "/" not in name and is_plain(name))

    def read(self, name: str) -> bytes | None:
        with refused_as(self._unusable):
            return s3.read_if_exists(self._bucket, f"{self._prefix}{name}")

    def write(self, name: str, content: bytes) -> None:
        self._put(f"{self._prefix}{name}", content, "application/json")

    def put_report(self, name: str, content: Path, content_type: str) -> None:
        """Replace one file of the run's report."""
        self._put(f"{self._run}/report/{name}", content.read_bytes(), content_type)

    def _put(self, key: str, content: bytes, content_type: str) -> None:
        with refused_as(self._unusable):
            s3.write(self._bucket, key, content, content_type)

    def _unusable(self, error: Exception) -> ReviewError:
        return ReviewError(
            f"{self.where} cannot be used ({error}). A review reads and writes the run's labels/ "
            "and report/: check the credentials."
        )
