"""Parquet files through duckdb, always by the same kind of connection."""

from typing import Any

import duckdb


def connect(**settings: Any) -> duckdb.DuckDBPyConnection:  # noqa: ANN401 - duckdb's own options
    """A connection that keeps row order, fetches no extension and draws no progress bar."""
    config = {"threads": 1, "autoinstall_known_extensions": False, **settings}
    connection = duckdb.connect(config=config)
    connection.execute("SET enable_progress_bar = false")
    return connection
