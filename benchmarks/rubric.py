"""How fast the details of a rubric judge become columns, and how fast those are reweighed.

    python benchmarks/rubric.py [--json] [--rows 500000] [--baseline-rows 20000]

Rows are generated, about 3 KB each. Every reader runs in a process of its own, so that its peak of
memory is its own. Beside ours: `ast.literal_eval` streaming to the same columns, and the notebook's
way (pandas, iterrows, literal_eval), on the first `--baseline-rows` rows and per row.
"""

import argparse
import ast
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from nova_judge.pairs.criteria import default_groups
from nova_judge.pairs.criterion_weights import figures, reweigh, weighting
from nova_judge.pairs.details_packing import packed_rows
from nova_judge.pairs.judge_output import judgment_of, read_details
from nova_judge.pairs.rubric_columns import RubricColumns, columns_from, columns_of, read_columns

NAMES = ("accuracy", "completeness", "clarity", "relevance", "tone", "conciseness", "structure")
WORDS = (
    *("the", "response", "isn't", "wrong", "but", "it", "covers", "most", "of", "what", "was"),
    *("asked,", "and", "one", "detail", "is", "left", "out;", "it", "explains", "each", "step"),
)
ROW_GROUP = 10_000
WEIGHTS = "accuracy=0.5,completeness=0.3,clarity=0.2"


class Reading(NamedTuple):
    """One way from details to columns, with peak memory in MB; 0 is what was not measured."""

    way: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: int

    @property
    def per_row(self) -> float:
        """Microseconds."""
        return self.seconds / self.rows * 1e6

    @property
    def cpu_per_row(self) -> float:
        """Microseconds of processor time, which other programs of the machine disturb less."""
        return self.cpu_seconds / self.rows * 1e6


class Started(NamedTuple):
    """Both clocks when a reader starts, after its imports."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> "Started":
        return cls(time.perf_counter(), time.process_time())


class Goal(NamedTuple):
    """A speed goal: a ratio that has to be reached, or a bound that has to be kept."""

    what: str
    wanted: float
    measured: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--baseline-rows", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "details.parquet")
        baseline = Path(folder, "baseline.parquet")
        write_details(path, arguments.rows)
        write_details(baseline, min(arguments.rows, arguments.baseline_rows))
        same_columns(baseline)
        readings = [
            apart(notebook, baseline),
            apart(by_literal_eval, baseline),
            apart(one_process, path),
            apart(ours, path),
        ]
        reweighing = apart(reweigh_all, path)
    goals = goals_of(readings, reweighing)
    if arguments.json:
        print(json.dumps(plain([*readings, reweighing], goals)))
    else:
        show([*readings, reweighing], goals)


def goals_of(readings: list[Reading], reweighing: Reading) -> list[Goal]:
    """The goals with what was measured in this run."""
    notebook_way, literal, alone, fast = readings
    return [
        Goal("one processor against literal_eval", 10, literal.cpu_per_row / alone.cpu_per_row),
        Goal("two processors against notebook", 20, notebook_way.cpu_per_row / fast.cpu_per_row),
        Goal("peak memory, MB", 250, fast.peak_mb, at_most=True),
        Goal("reweighing against literal_eval again", 1000, literal.per_row / reweighing.per_row),
    ]


def apart(work: Callable[[Path], Reading], path: Path) -> Reading:
    """Run in a fresh process, as a notebook would: a helper that it starts loads no script."""
    call = f"from rubric import *; print(json.dumps({work.__name__}(Path({str(path)!r}))))"
    command = [sys.executable, "-c", call]
    return Reading(*json.loads(subprocess.check_output(command, cwd=Path(__file__).parent)))


def notebook(path: Path) -> Reading:
    """As AWS's notebook reads the file, collecting the same numbers."""
    import pandas as pd  # noqa: PLC0415 (it would count as memory of the others)

    started = Started.now()
    frame = pd.read_parquet(path)
    kept = []
    for _, row in frame.iterrows():
        metrics = ast.literal_eval(row["metrics"])
        kept.append((metrics["predictions"], metrics["a_scores"], metrics["b_scores"]))
        for name, data in metrics["criteria_breakdown"].items():
            kept.append((name, data["weight"], data["type"], data["score_A"], data["score_B"]))
    return _reading("notebook: iterrows, literal_eval", len(frame), started)


def by_literal_eval(path: Path) -> Reading:
    """literal_eval on one core, streaming, to the same columns."""
    started = Started.now()
    columns = literal_columns(path)
    return _reading("literal_eval, one core", columns.rows, started)


def literal_columns(path: Path) -> RubricColumns:
    """The columns by the plain way."""
    rows = ((ast.literal_eval(str(row.metrics)), row.predictions) for row in read_details(path))
    return columns_of((judgment_of(*row)[0] for row in rows), default_groups())


def one_process(path: Path) -> Reading:
    """Ours without a second process."""
    started = Started.now()
    columns = columns_from(packed_rows(path), default_groups())
    return _reading("nova-judge, one process", columns.rows, started)


def ours(path: Path) -> Reading:
    """Ours; processor time and memory are those of the process that has more of them."""
    started = Started.now()
    columns = read_columns(path, default_groups())
    reading = _reading("nova-judge", columns.rows, started)
    helper = resource.getrusage(resource.RUSAGE_CHILDREN)
    return reading._replace(
        cpu_seconds=max(reading.cpu_seconds, helper.ru_utime + helper.ru_stime),
        peak_mb=max(reading.peak_mb, helper.ru_maxrss // 1024),
    )


def reweigh_all(path: Path) -> Reading:
    """New verdicts, win rate with interval and verdict of all rows, from columns; best of 5."""
    columns = read_columns(path, default_groups())
    chosen = weighting(columns, default_groups(), weights=WEIGHTS)
    assert figures(columns, reweigh(columns, chosen)).win_rate is not None
    seconds = timeit.repeat(lambda: figures(columns, reweigh(columns, chosen)), number=1, repeat=5)
    return Reading("reweigh, with verdict and interval", columns.rows, min(seconds), 0.0, 0)


def same_columns(path: Path) -> None:
    """Both ways must give the same columns before any time counts."""
    read, plain_way = read_columns(path, default_groups()), literal_columns(path)
    assert read.groups == plain_way.groups
    assert np.array_equal(read.entries, plain_way.entries)
    assert np.array_equal(read.forward, plain_way.forward)


def write_details(path: Path, rows: int) -> None:
    """Generated details in the container's layout."""
    import pyarrow as pa  # noqa: PLC0415 (as above)
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = pa.schema(
        [(name, pa.string()) for name in ("full_prompt", "gold", "metrics", "pred_logits")]
        + [("predictions", pa.list_(pa.string()))]
    )
    with pq.ParquetWriter(path, schema) as writer:
        draw = random.Random(1)  # noqa: S311
        for first in range(0, rows, ROW_GROUP):
            metrics = [str(row) for row in generated(draw, min(ROW_GROUP, rows - first))]
            columns = {
                "full_prompt": ["…" * 100] * len(metrics),
                "gold": [""] * len(metrics),
                "metrics": metrics,
                "pred_logits": [""] * len(metrics),
                "predictions": [["…"]] * len(metrics),
            }
            writer.write_table(pa.table(columns, schema=schema))


def generated(draw: random.Random, rows: int) -> Iterator[dict[str, Any]]:
    """Metrics of rows with 4 or 5 criteria, about 3 KB as text."""
    for _ in range(rows):
        names = draw.sample(NAMES, draw.choice((4, 5)))
        breakdown = {name: criterion(draw, 1 / len(names)) for name in names}
        wins = draw.choice(((2, 0), (0, 2), (1, 1)))
        yield {
            "predictions": ["A>B" if wins[0] else "B>A"],
            "a_scores": float(wins[0]),
            "b_scores": float(wins[1]),
            "weighted_score_A": draw.random(),
            "weighted_score_B": draw.random(),
            "score_margin": draw.random() - 0.5,
            "overall_justification": text(draw, 60),
            "criteria_breakdown": breakdown,
        }


def criterion(draw: random.Random, weight: float) -> dict[str, Any]:
    """One criterion as the container writes it."""
    return {
        "score_A": draw.randint(1, 5),
        "score_B": draw.randint(1, 5),
        "weight": round(weight, 2),
        "type": "scale",
        "description": text(draw, 12),
        "justification_A": text(draw, 32),
        "justification_B": text(draw, 32),
    }


def text(draw: random.Random, words: int) -> str:
    """Prose, now and then with a line break."""
    return " ".join(draw.choices(WORDS, k=words)) + ("\nSo far." if draw.random() < 0.1 else "")


def show(readings: list[Reading], goals: list[Goal]) -> None:
    """Print the tables."""
    table = Table(title="Details of a rubric judge to columns")
    for name in ("way", "rows", "s", "µs a row", "cpu µs a row", "peak MB"):
        table.add_column(name, justify="left" if name == "way" else "right")
    for one in readings:
        cpu = f"{one.cpu_per_row:.1f}" if one.cpu_seconds else ""
        peak = str(one.peak_mb) if one.peak_mb else ""
        table.add_row(
            one.way, f"{one.rows:,}", f"{one.seconds:.3f}", f"{one.per_row:.3f}", cpu, peak
        )
    console = Console()
    console.print(table)
    for goal in goals:
        sign = "at most" if goal.at_most else "at least"
        met = "met" if goal.met else "MISSED"
        console.print(f"{goal.what}: {goal.measured:,.1f} ({sign} {goal.wanted:,g}): {met}")


def plain(readings: list[Reading], goals: list[Goal]) -> dict[str, Any]:
    """One JSON object."""
    return {
        "benchmark": "rubric",
        "results": [
            {**one._asdict(), "us_per_row": one.per_row, "cpu_us_per_row": one.cpu_per_row}
            for one in readings
        ],
        "goals": [{**goal._asdict(), "met": goal.met} for goal in goals],
    }


def _reading(way: str, rows: int, started: Started) -> Reading:
    now = Started.now()
    return Reading(way, rows, now.wall - started.wall, now.cpu - started.cpu, _peak_mb())


def _peak_mb() -> int:
    """This process's own peak; `getrusage` would count the parent's from before it started."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


if __name__ == "__main__":
    main()
