"""`nj.compare_answers`: rows judged on this machine, without AWS."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from nova_judge.api.opened_run import OpenedRun
from nova_judge.aws.fetched_runs import temporary_folder
from nova_judge.errors import LocalModeError, RequestError
from nova_judge.extras import require
from nova_judge.findings.saved_report import open_report

Tabular: TypeAlias = Any
"""An iterable of mappings, a pandas or Polars DataFrame, an Arrow table, or a file's path."""


def compare_answers(
    rows: Tabular,
    judge: str = "reference",
    *,
    recipe: str = "pairwise",
    names: tuple[str, str] | None = None,
    out: str | Path | None = None,
) -> OpenedRun:
    """Judge pairs of answers in both orders on this machine; needs `nova-judge[local]`.

    Args:
        rows: each with `prompt`, `response_A`, `response_B`, and if known `id`, `reference`,
            `category`, `label`: mappings, a pandas or Polars DataFrame, an Arrow table, or a file.
        judge: `reference` (a stand-in: token F1 with the row's `reference`), `recorded:FILE`,
            `openai:URL#MODEL` or `bedrock:MODEL_ID`.
        recipe: a recipe's name, or the path of its YAML file.
        names: what the report calls A and B.
        out: the folder that keeps the run; without one it is deleted when the program ends.

    Raises:
        RequestError: there are no rows, they are not mappings, or `names` are not two.
        LocalModeError: the run failed, and why.

    >>> rows = [{"prompt": "2 + 2?", "response_A": "5", "response_B": "4", "reference": "4"}]
    >>> compare_answers(rows).metrics.reconciled.b
    1
    """
    if names is not None and len(names) != 2:
        raise RequestError(f"names={names!r}: name both, as in names=('small', 'large')")
    require("local", "ministack")
    from nova_judge_local.local_run import RunRequest, run  # noqa: PLC0415 - an extra

    with _as_file(rows) as file:
        folder = Path(out) if out is not None else temporary_folder() / "run"
        named = dict(zip(("name-a", "name-b"), names, strict=True)) if names else {}
        ended = run(RunRequest(file, recipe, folder, judge, names=named), _Silent())
    if ended.status != "SUCCEEDED":
        reasons = [f"{ended.error}: {ended.cause}", *([ended.refused] if ended.refused else [])]
        raise LocalModeError(f"the run ended as {ended.status}. {' '.join(reasons)}")
    return OpenedRun(open_report(folder))


class _Silent:
    """A watch of a run that says nothing."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        yield

    def state(self, name: str, answered: int, judged: int, rows: int) -> None: ...

    def say(self, line: str) -> None: ...


@contextmanager
def _as_file(rows: Tabular) -> Iterator[Path]:
    if isinstance(rows, str | Path):
        yield Path(rows)
        return
    with tempfile.TemporaryDirectory(prefix="nova-judge-") as folder:
        file = Path(folder, "rows.jsonl")
        file.write_bytes(b"".join(_line(row) for row in _records(rows)))
        if not file.stat().st_size:
            raise RequestError("there are no rows to compare")
        yield file


def _records(rows: Tabular) -> Iterator[Any]:
    """The rows of a table of any library, or the rows themselves."""
    if hasattr(rows, "to_dicts"):  # Polars
        yield from rows.to_dicts()
    elif hasattr(rows, "to_pylist"):  # Arrow
        yield from rows.to_pylist()
    elif hasattr(rows, "to_dict"):  # pandas, whose missing values are not JSON
        yield from rows.astype(object).where(rows.notna(), None).to_dict("records")
    else:
        yield from rows


def _line(row: object) -> bytes:
    if not isinstance(row, Mapping):
        raise RequestError(
            f"a row is a mapping such as {{'prompt': …, 'response_A': …, 'response_B': …}}, "
            f"not {type(row).__name__}"
        )
    given = {name: value for name, value in row.items() if value is not None}
    return orjson.dumps(given, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)
