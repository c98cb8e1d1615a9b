"""The input object of a run as JSON Lines, which alone can be cut into byte ranges."""

import tempfile
from pathlib import Path

from nova_judge.aws import s3
from nova_judge.errors import InputFileError
from nova_judge.inputs.file_rows import read_rows
from nova_judge.inputs.formats import HEAD_BYTES, form_of_head
from nova_judge.inputs.input_file import write_lines
from nova_judge.layout import RunLayout
from nova_judge.recipe.column_map import ColumnMap
from nova_judge.records import S3Object

MOST_BYTES = 4 * 1024**3
"""Of an object that is converted: it has to fit on the function's disk and into its time."""

MOST_LINE_BYTES = 16 * 1024**3
"""Of what is made of it, so that an archive cannot swell without end."""


def lines_of(item: S3Object, columns: ColumnMap, run_id: str) -> S3Object:
    """The object itself where it is JSON Lines, else what is written of it beside the run.

    The same object gives the same lines, so that a repeat writes the same bytes. Raises
    InputFileError for a form that is not read, and for more than `MOST_BYTES`.
    """
    head = s3.head(item, HEAD_BYTES)
    form = form_of_head(head, item.uri, whole=len(head) >= item.size)
    if form.plain:
        return item
    if item.size > MOST_BYTES:
        raise InputFileError(
            f"{item.uri} is {form} of {item.size:,} bytes, and up to {MOST_BYTES:,} are converted "
            "here: `nova-judge submit` converts on your machine, or write JSON Lines"
        )
    key = RunLayout(run_id).input
    with tempfile.TemporaryDirectory(prefix="nova-judge-") as folder:
        path = Path(folder, item.key.rpartition("/")[2])
        with path.open("wb") as file:
            for chunk in s3.stream(item, 0):
                file.write(chunk)
        # Fields keep the columns of the file: the recipe's map finds them there.
        with s3.ObjectWriter(item.bucket, key) as target:
            write_lines(_Capped(target), read_rows(path, form, columns.rows))
    return s3.describe(item.bucket, key)


class _Capped:
    """Stops what swells beyond `MOST_LINE_BYTES`."""

    def __init__(self, target: s3.ObjectWriter) -> None:
        self._target = target
        self._written = 0

    def write(self, data: bytes, /) -> None:
        self._written += len(data)
        if self._written > MOST_LINE_BYTES:
            raise InputFileError(
                f"the rows unpack to more than {MOST_LINE_BYTES:,} bytes: send several files"
            )
        self._target.write(data)
