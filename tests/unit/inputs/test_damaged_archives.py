"""A gzip archive that is damaged is a file that cannot be read, wherever the damage lies."""

import gzip
import random
from pathlib import Path

import pytest

from nova_judge.errors import InputFileError
from nova_judge.inputs import formats
from nova_judge.inputs.file_rows import read_rows
from nova_judge.inputs.formats import form_of


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


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.csv.gz", "rows.parquet.gz"])
def test_what_unpacks_to_far_more_than_rows_do_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(formats, "FREE_BYTES", 1 << 20)
    begins = {"jsonl": b'{"prompt": "q"}\n', "csv": b"prompt,id\nq,1\n", "parquet": b"PAR1"}
    file = tmp_path / name
    with gzip.open(file, "wb") as target:
        target.write(begins[name.split(".")[1]])
        for _ in range(64):
            target.write(b"\n" * (1 << 20))
    with pytest.raises(InputFileError, match=r"unpacks to more than [\d,]+ bytes"):
        list(read_rows(file, form_of(file)))


def test_rows_that_pack_well_are_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl.gz"
    with gzip.open(file, "wb") as target:
        target.write(b'{"prompt": "the same question"}\n' * 100_000)
    assert sum(1 for _ in read_rows(file, form_of(file))) == 100_000
