"""The one writer of Parquet files, and the one way to treat half of a surrogate pair."""

from nova_judge.parquet import connect, write_parquet
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


def test_storable_text_keeps_whole_pairs_and_replaces_halves():
    assert storable("half \ud83d, whole \ud83d\ude00, é") == "half \ufffd, whole 😀, é"
