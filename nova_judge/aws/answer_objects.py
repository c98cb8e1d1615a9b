"""Stores in which journals keep their chunks: an S3 bucket, or a folder."""

import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class BucketObjects:
    """`answer_store.Objects` in one bucket. The client may retry: its writes are idempotent."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keys(self, prefix: str) -> Iterable[str]:
        """All keys that begin with `prefix`, sorted as S3 lists them."""
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (item["Key"] for item in page.get("Contents", []))

    def folders(self, prefix: str) -> Iterable[str]:
        """The next part, up to its `/`, of all keys that begin with `prefix`."""
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
            for folder in page.get("CommonPrefixes", []):
                yield folder["Prefix"].removeprefix(prefix).removesuffix("/")

    def read(self, key: str) -> bytes:
        """The bytes under `key`."""
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def write(self, key: str, body: bytes) -> None:
        """Put `body` under `key`; S3 has it, whole, when this returns."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body)


class FolderObjects:
    """`answer_store.Objects` in one folder: for tests and benchmarks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keys(self, prefix: str) -> Iterable[str]:
        """All keys below `prefix`, which ends with `/`, sorted."""
        names = sorted(path for path in (self._folder / prefix).rglob("*") if path.is_file())
        return [
            path.relative_to(self._folder).as_posix() for path in names if path.suffix != ".part"
        ]

    def folders(self, prefix: str) -> Iterable[str]:
        """The folders in `prefix`, sorted."""
        return sorted(path.name for path in (self._folder / prefix).glob("*") if path.is_dir())

    def read(self, key: str) -> bytes:
        """The bytes under `key`."""
        return (self._folder / key).read_bytes()

    def write(self, key: str, body: bytes) -> None:
        """Put `body` under `key`, whole or not at all: written aside, synced, renamed."""
        target = self._folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f"{uuid.uuid4().hex}.part")
        with aside.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
