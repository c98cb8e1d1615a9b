"""`nova-judge stats` on a large file of judgments: counted by duckdb against line by line.

`python benchmarks/stats_file.py [--rows 1000000]`. Both readings in one process, as CPU seconds and
their ratio; the peak memory is of counting alone, which goes first.
"""

import argparse
import json
import random
import resource
import tempfile
import time
from pathlib import Path

from nova_judge.findings import judgment_counts
from nova_judge.findings.judgment_file import read_judgment_file
from nova_judge.statistics.findings import find
from nova_judge.statistics.statistics_settings import DEFAULTS


def write(path: Path, rows: int) -> None:
    draw = random.Random(1)  # noqa: S311 test data
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            row = {
                "id": f"r{number}",
                "forward": draw.choice(["A>B", "B>A", "A=B"]),
                "backward": draw.choice(["A>B", "B>A", None]),
                "category": draw.choice("abc"),
            }
            file.write(json.dumps(row) + "\n")


def seconds(file: Path) -> float:
    begun = time.process_time()
    reading = read_judgment_file(file)
    find(reading.evidence, DEFAULTS, reading.basis)
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "judgments.jsonl")
        write(file, given.rows)
        counted = seconds(file)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        judgment_counts.LEAST_BYTES = 1 << 60  # type: ignore[misc]
        by_line = seconds(file)
    print(f"{given.rows:,} rows, CPU seconds: counted {counted:.2f}, line by line {by_line:.2f}")
    print(f"ratio {by_line / counted:.1f}; peak memory while counting {peak:.0f} MiB")


if __name__ == "__main__":
    main()
