"""A folder in the place of the bucket in which journals keep their chunks."""

import os
import uuid
from collections.abc import Iterable
from pathlib import Path


class FolderObjects:
    """`answer_store.Objects` in one folder."""

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
