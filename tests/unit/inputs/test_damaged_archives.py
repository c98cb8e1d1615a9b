"""A gzip archive that is damaged is a file that cannot be read, wherever the damage lies."""

import gzip
import random
from pathlib import Path

import pytest

from nova_judge.errors import InputFileError
from nova_judge.inputs.formats import form_of, read_rows


def test_damage_in_the_head_is_told(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\x1f\x8b\x08\x00 not what it says")
    with pytest.raises(InputFileError, match="is a gzip archive that cannot be unpacked"):
        form_of(file)


def test_damage_behind_the_head_is_told(tmp_path: Path) -> None:
    draw = random.Random(1)  # noqa: S311 - test data
    lines = [b'{"prompt": "%d"}\n' % draw.getrandbits(256) for _ in range(20_000)]
    packed = bytearray(gzip.compress(b"".join(lines)))
    packed[-200_000:-100_000] = bytes(100_000)
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(packed)
    with pytest.raises(InputFileError, match="cannot be read as"):
        list(read_rows(file, form_of(file)))
