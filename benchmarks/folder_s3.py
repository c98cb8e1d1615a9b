"""A folder in the place of S3, for benchmarks of steps that read and write it."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO


class FolderS3:
    """The calls of S3 that the steps make, on files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, key: str) -> Path:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def head_object(self, *, Key: str, **_: object) -> dict[str, Any]:
        return {"ContentLength": self._path(Key).stat().st_size, "VersionId": "v"}

    def get_object(self, *, Key: str, Range: str = "bytes=0-", **_: object) -> dict[str, Any]:
        first, _, last = Range.removeprefix("bytes=").partition("-")
        file: BinaryIO = self._path(Key).open("rb")
        file.seek(int(first))
        if last:
            file = io.BytesIO(file.read(int(last) + 1 - int(first)))
        return {"Body": Body(file), "ContentRange": f"bytes {first}-"}

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> None:
        self._path(Key).write_bytes(Body)

    def create_multipart_upload(self, *, Key: str, **_: object) -> dict[str, str]:
        self._path(Key).write_bytes(b"")
        return {"UploadId": Key}

    def upload_part(self, *, Key: str, Body: bytes, **_: object) -> dict[str, str]:
        with self._path(Key).open("ab") as file:
            file.write(Body)
        return {"ETag": "part"}

    def complete_multipart_upload(self, **_: object) -> None:
        pass

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
