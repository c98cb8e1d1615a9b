"""A folder in the place of S3, for benchmarks of steps that read and write it."""

import io
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import ClientError


class FolderS3:
    """The calls of S3 that the steps make, on files; `requests` counts them by price."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.requests: Counter[str] = Counter()

    def _path(self, key: str, price: str = "PUT") -> Path:
        self.requests[price] += 1
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def head_object(self, *, Key: str, **_: object) -> dict[str, Any]:
        return {"ContentLength": self._path(Key, "GET").stat().st_size, "VersionId": "v"}

    def get_object(self, *, Key: str, Range: str = "bytes=0-", **_: object) -> dict[str, Any]:
        first, _, last = Range.removeprefix("bytes=").partition("-")
        path = self._path(Key, "GET")
        if not path.exists():
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        file: BinaryIO = path.open("rb")
        file.seek(int(first))
        if last:
            file = io.BytesIO(file.read(int(last) + 1 - int(first)))
        return {"Body": Body(file), "ContentRange": f"bytes {first}-"}

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> None:
        self._path(Key).write_bytes(Body)

    def copy_object(self, *, Key: str, CopySource: dict[str, str], **_: object) -> None:
        shutil.copyfile(self._folder / CopySource["Key"], self._path(Key))

    def create_multipart_upload(self, *, Key: str, **_: object) -> dict[str, str]:
        self._path(Key).write_bytes(b"")
        return {"UploadId": Key}

    def upload_part(self, *, Key: str, Body: bytes, **_: object) -> dict[str, str]:
        with self._path(Key).open("ab") as file:
            file.write(Body)
        return {"ETag": "part"}

    def complete_multipart_upload(self, **_: object) -> None:
        self.requests["PUT"] += 1

    def get_paginator(self, _: str) -> "FolderS3":
        return self

    def paginate(self, *, Prefix: str, **_: object) -> list[dict[str, Any]]:
        paths = sorted(p for p in self._path(Prefix).parent.rglob("*") if p.is_file())
        keys = (path.relative_to(self._folder).as_posix() for path in paths)
        return [{"Contents": [{"Key": key} for key in keys if key.startswith(Prefix)]}]


class Body:
    """A file that is read as it is asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self) -> bytes:
        return self._file.read()

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while chunk := self._file.read(size):
            yield chunk

    def close(self) -> None:
        self._file.close()
