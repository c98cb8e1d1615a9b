"""The one writer of Parquet files, and the one way to treat half of a surrogate pair."""

import duckdb
import pytest

from nova_judge.parquet import checked_rows, connect, connect_to, write_parquet
from nova_judge.text import storable

COLUMNS = {"id": "VARCHAR", "size": "DOUBLE", "parts": "VARCHAR[]"}


def test_rows_come_back_in_their_order_and_types(tmp_path):
    path = tmp_path / "it's.parquet"
    rows = [{"id": str(n), "size": n / 2, "parts": [f"p{n}"]} for n in range(5_000)]
    assert write_parquet(path, COLUMNS, rows) == 5_000
    with connect() as connection:
        read = connection.execute("SELECT * FROM read_parquet($1)", [str(path)]).fetchall()
    assert read == [(row["id"], row["size"], row["parts"]) for row in rows]
    assert [file.name for file in tmp_path.iterdir()] == ["it's.parquet"]


def test_a_row_of_many_megabytes_and_half_a_surrogate_pair_are_written(tmp_path):
    path = tmp_path / "a.parquet"
    write_parquet(path, COLUMNS, [{"id": "x" * 20_000_000}, {"id": "\ud83d", "parts": ["\udc00"]}])
    with connect() as connection:
        query = "SELECT length(id), id, parts FROM read_parquet($1)"
        read = connection.execute(query, [str(path)]).fetchall()
    assert read[0][0] == 20_000_000
    assert read[1] == (1, "\ufffd", ["\ufffd"])


def test_no_row_is_a_file_with_columns(tmp_path):
    path = tmp_path / "a.parquet"
    assert write_parquet(path, COLUMNS, []) == 0
    with connect() as connection:
        described = connection.execute("SELECT * FROM read_parquet($1)", [str(path)]).description
    assert [column[0] for column in described] == list(COLUMNS)


def test_checked_rows_hold_long_texts_too_and_none_for_a_column_that_is_not_there(tmp_path):
    path = tmp_path / "a.parquet"
    ids = ["a", "b" * 1_000_000, "c", None]
    write_parquet(path, COLUMNS, [{"id": name, "parts": ["p"]} for name in ids])
    with connect_to(path) as connection:
        rows = [tuple(row) for row in checked_rows(connection, path, ("id", "parts", "absent"))]
    assert rows == [(name, ["p"], None) for name in ids]


@pytest.mark.parametrize(("text", "rows"), [("x" * 1_000_000, 2_048), ("x" * 20_000, 55_000)])
def test_texts_far_longer_than_their_file_are_refused(tmp_path, text, rows):
    path = tmp_path / "a.parquet"
    with connect() as connection:
        connection.execute(
            "COPY (SELECT $1 AS id FROM range($2)) TO $3 (FORMAT parquet)", [text, rows, str(path)]
        )
    with connect_to(path) as connection, pytest.raises(duckdb.Error, match="more than a file of"):
        for _ in checked_rows(connection, path, ("id",)):
            pass


def test_storable_text_keeps_whole_pairs_and_replaces_halves():
    assert storable("half \ud83d, whole \ud83d\ude00, é") == "half \ufffd, whole 😀, é"
