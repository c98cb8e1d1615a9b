"""Forms with types of their own: Parquet, and a Hugging Face data set saved to disk."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from nova_judge.errors import InputFileError
from nova_judge.inputs.file_rows import read_rows
from nova_judge.inputs.formats import form_of


def rows_at(path):
    return [json.loads(row.content) for row in read_rows(path, form_of(path))]


def test_parquet_is_told_by_its_content_and_nothing_is_no_value(tmp_path):

    path = tmp_path / "rows.bin"
    table = pa.table({"id": [1.0, 2.0], "prompt": ["a", "b"], "margin": [None, float("nan")]})
    parquet.write_table(table, path)
    assert rows_at(path) == [
        {"id": 1.0, "prompt": "a", "margin": None},
        {"id": 2.0, "prompt": "b", "margin": None},
    ]


def test_times_in_a_zone_are_read_from_parquet(tmp_path):
    """Seen: WildChat has such a column, and duckdb wants pytz to read it."""
    path = tmp_path / "rows.parquet"
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    zoned = pa.timestamp("us", tz="Europe/Berlin")
    said = pa.list_(pa.struct({"content": pa.string(), 'at "once"': zoned}))
    held = {
        "prompt": ["why?"],
        'sent "at"': pa.array([noon], zoned),
        "turns": pa.array([[{"content": "so", 'at "once"': noon}]], said),
    }
    parquet.write_table(pa.table(held), path)
    (row,) = rows_at(path)
    assert row == {
        "prompt": "why?",
        'sent "at"': "2024-05-01 12:00:00+00",
        "turns": [{"content": "so", 'at "once"': "2024-05-01 12:00:00+00"}],
    }


def test_bytes_in_parquet_are_texts_or_nothing_and_never_base64(tmp_path):
    path = tmp_path / "rows.parquet"
    held = {"prompt": [b"why?"], "response_A": ["Größe".encode()], "response_B": [b"Gr\xf6\xdfe"]}
    held["turns"] = [[{"content": b"so"}]]
    parquet.write_table(pa.table(held), path)
    (row,) = rows_at(path)
    assert row["prompt"] == "why?"
    assert (row["response_A"], row["response_B"]) == ("Größe", {})
    assert row["turns"] == [{"content": "so"}]


def saved(folder):
    folder.mkdir()
    table = pa.table({"prompt": ["a", "b"], "reference": ["x", None]})
    file = folder / "data-00000-of-00001.arrow"
    with file.open("wb") as opened, pa.ipc.new_stream(opened, table.schema) as stream:
        stream.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": file.name}]}))
    return folder


def test_a_saved_data_set_is_read_row_by_row(tmp_path):
    assert rows_at(saved(tmp_path / "set")) == [
        {"prompt": "a", "reference": "x"},
        {"prompt": "b", "reference": None},
    ]


def test_of_several_splits_one_is_asked_for(tmp_path):
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    with pytest.raises(InputFileError, match="holds the splits train, test: name one"):
        form_of(tmp_path)


def test_a_folder_of_anything_else_is_refused(tmp_path):
    with pytest.raises(InputFileError, match="is a folder: give a file of rows"):
        form_of(tmp_path)


def _packed(content):
    """Without the time, which would stand in the name of a test: all processes read it alike."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("content", "cure"),
    [
        (b'{"1": {"prompt": "a"}, "2": {"prompt": "b"}}', "to_entries"),
        (b'{\n "1": {"prompt": "a"},\n "2": {"prompt": "b"}\n}', "to_entries"),
        (b'{"prompt": ["a", "b"], "response_A": ["c", "d"]}', "column by column"),
        (b'{"columns": ["prompt"], "data": [["a"], ["b"]]}', "apart from its rows"),
        (b'{"prompt": "a"},\n{"prompt": "b"},\n', "remove commas between them"),
        (_packed(_packed(b'{"prompt": "a"}')), "packed in gzip twice"),
    ],
)
def test_rows_that_lie_another_way_are_refused_with_the_cure(tmp_path, content, cure):
    path = tmp_path / "rows.json"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=cure):
        list(read_rows(path, form_of(path)))


@pytest.mark.parametrize(
    "content",
    [
        b"sep=;\nprompt;id\nq;1\n",
        b"| prompt | id |\n|:---|---:|\n| q | 1 |\n",
        b"\n\nprompt,id\nq,1\n",
        b"prompt,id\nq,1\nprompt,id\n",
        b"prompt,id\n\xef\xbb\xbfprompt,id,\nq,1,\n",
    ],
)
def test_lines_that_are_no_rows_of_a_table_are_passed_over(tmp_path, content):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    (row,) = read_rows(path, form_of(path))
    assert json.loads(row.content)["prompt"].strip() == "q"


def test_files_joined_with_other_orders_of_their_columns_are_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("prompt,response_A,response_B\nq,1,2\nprompt,response_B,response_A\nq,2,1\n")
    with pytest.raises(InputFileError, match="line 3 names the columns again, in another order"):
        rows_at(path)


@pytest.mark.parametrize(
    ("content", "cure"),
    [
        ("<!DOCTYPE html><html><body>Sign in", "HTML, perhaps a page or an error in place"),
        ("<?xml version='1.0'?><Error><Code>AccessDenied", "XML, perhaps a page or an error"),
        ("version https://git-lfs.github.com/spec/v1\nsize 1", "a pointer of Git LFS: fetch"),
    ],
)
def test_what_came_in_place_of_a_file_is_named(tmp_path, content, cure):
    """They were read as tables, whose only column was to be mapped."""
    path = tmp_path / "rows.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(InputFileError, match=cure):
        form_of(path)


def test_an_address_is_no_file(tmp_path):
    with pytest.raises(InputFileError, match=r"^s3://mine/rows\.jsonl is an address: fetch"):
        form_of(Path("s3://mine/rows.jsonl"))
