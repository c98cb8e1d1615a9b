"""A Hugging Face data set as `save_to_disk` leaves it: a folder with Arrow streams."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nova_judge.errors import InputFileError


def is_saved(path: Path) -> bool:
    """True if a folder holds a saved data set; raises InputFileError for several splits."""
    if not path.is_dir():
        return False
    if (path / "dataset_dict.json").is_file():
        splits = json.loads((path / "dataset_dict.json").read_text("utf-8")).get("splits", [])
        raise InputFileError(
            f"{path} holds the splits {', '.join(map(str, splits))}: name one, as in "
            f"{path / str((splits or ['train'])[0])}"
        )
    if not (path / "state.json").is_file():
        raise InputFileError(
            f"{path} is a folder: give a file of rows, a folder with Parquet files, or a saved "
            "data set"
        )
    return True


def saved_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a saved data set. Raises InputFileError without pyarrow, which reads it."""
    try:
        from pyarrow import ipc  # noqa: PLC0415
    except ImportError:
        raise InputFileError(
            f"{path} is a Hugging Face data set, which needs pyarrow: `pip install pyarrow`, or "
            "save it with `to_json` or `to_parquet`"
        ) from None
    state = json.loads((path / "state.json").read_text("utf-8"))
    for entry in state["_data_files"]:
        file = path / Path(entry["filename"]).name
        with file.open("rb") as opened, ipc.open_stream(opened) as stream:
            for batch in stream:
                yield from batch.to_pylist()
