"""Runs a custom scorer in a jailed child process and never lets one row cost another its score."""

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import orjson

from nova_judge.errors import ScorerError
from nova_judge.records import Unscored
from nova_judge.scores import scorer_process
from nova_judge.scores.jailed_process import run_jailed
from nova_judge.scores.scorer_process import NoScoreError, checked_metrics

_CHILD = Path(scorer_process.__file__).resolve()


class SandboxLimits(NamedTuple):
    """Seconds for loading the scorer and for one row, and how many rows share a process."""

    load_seconds: float = (
        120.0  # libraries such as sympy, read for the first time on a busy machine
    )
    row_seconds: float = 10.0
    rows_per_process: int = 200


DEFAULT_LIMITS = SandboxLimits()


class _Written(msgspec.Struct):
    loaded: bool = False
    metrics: dict[str, float] | None = None
    fault: str | None = None


_decoder = msgspec.json.Decoder(_Written)


def score_rows(
    scorer: Path, rows: Sequence[object], limits: SandboxLimits = DEFAULT_LIMITS
) -> Iterator[dict[str, float] | Unscored]:
    """The metrics of each row in order, or why it has none.

    A row is an object with `prompt`, `answer`, `reference` and `metadata`. The child has no
    environment, an empty folder, no network and no child processes. A row that kills it, by a crash
    or by taking too long, is unscored; the rest go on in a new one.
    Raises ScorerError when the scorer cannot be loaded.
    """
    pending = list(rows)
    while pending:
        batch = pending[: limits.rows_per_process]
        scored, ended = _run(scorer, batch, limits)
        yield from scored
        if len(scored) < len(batch):
            yield Unscored(f"the scorer's process ended: {ended}")
        pending = pending[min(len(scored) + 1, len(batch)) :]


def _run(
    scorer: Path, rows: Sequence[object], limits: SandboxLimits
) -> tuple[list[dict[str, float] | Unscored], str]:
    """The rows that one child scored, and how it ended.

    Its lines are believed only as far as they have the right shape.
    """
    seconds = limits.row_seconds * len(rows) + limits.load_seconds
    times = (str(limits.load_seconds), str(limits.row_seconds), str(int(seconds) + 1))
    arguments = [str(scorer.resolve()), *times]
    token = secrets.token_hex(16).encode()
    sent = b"".join(line + b"\n" for line in [token, *map(orjson.dumps, rows)])
    finished = run_jailed(_CHILD, arguments, sent, seconds)
    mark = token + b" "
    lines = [
        line.removeprefix(mark) for line in finished.output.splitlines() if line.startswith(mark)
    ]
    loaded = _decoded(lines[0] if lines else b"{}")
    if not loaded.loaded:
        ended = finished.ended or f"it took more than {limits.load_seconds:g} s"
        raise ScorerError(f"{scorer}: {loaded.fault or f'loading it ended the process: {ended}'}")
    scored = [_metrics(_decoded(line)) for line in lines[1 : len(rows) + 1]]
    return scored, finished.ended or f"a row took more than {limits.row_seconds:g} s"


def _decoded(line: bytes) -> _Written:
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Written(fault="left a line that cannot be read")


def _metrics(written: _Written) -> dict[str, float] | Unscored:
    if written.fault is not None:
        return Unscored(f"the scorer {written.fault}")
    try:
        return checked_metrics(written.metrics or {})
    except NoScoreError as fault:
        return Unscored(f"the scorer {fault}")
