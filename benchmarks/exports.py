"""Loads every form of export at 60 MB with the `datasets` library: its chunks, and to Parquet.

    uv pip install datasets && python benchmarks/exports.py [--megabytes 60]

Every tenth row of the second half has a system prompt, criteria differ from row to row, and
categories begin late: what a schema taken from the first rows would miss. `datasets` is no
dependency of the project.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nova_judge.findings.reweighed import ScoredRow
from nova_judge.findings.training_forms import Format
from nova_judge.findings.training_records import Filters, export, rows_for
from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import Criterion, InputRow, JudgedRow, Judgment, Rubric, Verdict
from tests.made import generated

_ANSWER = "An answer of a few words, again and again. " * 40


def rows(megabytes: int) -> Iterator[ScoredRow]:
    """Rows whose texts have so many megabytes together."""
    count = megabytes * 1_000_000 // (2 * len(_ANSWER))
    for number in range(count):
        late = number > count // 2
        criteria = (
            Criterion(name="accuracy", weight=0.5, type="scale", score_A=2, score_B=5),
            Criterion(name=f"own {number % 7}", weight=0.5, type="scale", score_A=1, score_B=4),
        )
        judged = JudgedRow(
            row=InputRow(
                line=number + 1,
                id=f"q{number}",
                prompt=f"question {number}?",
                response_A=f"{number} {_ANSWER}",
                response_B=f"{_ANSWER} {number}",
                category="late" if late else None,
                system="Be brief." if late and number % 10 == 0 else None,
            ),
            judgment=Judgment(
                forward=Verdict.B, backward=Verdict.B, rubric=Rubric(criteria=criteria)
            ),
        )
        yield ScoredRow(judged, recomputed_scores(judged.judgment))


def write(folder: Path, form: Format, megabytes: int, *, conversational: bool) -> tuple[Path, Path]:
    """The records of one form, and where each comes from."""
    records, origins = folder / "records.jsonl", folder / "records.provenance.jsonl"
    made = export(
        rows_for(form, lambda: rows(megabytes)),
        form,
        Filters(),
        generated.metrics(generated.judged_rows(1)),
        Counter(),
        conversational=conversational,
    )
    with records.open("wb") as file, origins.open("wb") as beside:
        for record in made:
            file.write(msgspec.json.encode(record.training) + b"\n")
            beside.write(msgspec.json.encode(record.provenance) + b"\n")
    return records, origins


def main() -> None:
    """Print what every form holds after loading; a form that cannot be loaded ends the run."""
    import datasets  # type: ignore[import-not-found]  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=60)
    megabytes = parser.parse_args().megabytes
    spoken = (Format.DPO, Format.SFT, Format.KTO, Format.REWARD)
    asked = [(form, False) for form in Format] + [(form, True) for form in spoken]
    for form, conversational in asked:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for path in write(folder, form, megabytes, conversational=conversational):
                data = datasets.load_dataset(
                    "json", data_files=str(path), split="train", cache_dir=str(folder / "cache")
                )
                data.to_parquet(str(folder / "records.parquet"))
                size = path.stat().st_size / 1e6
                form_named = f"{form}{' conversational' if conversational else ''}"
                print(
                    f"{form_named}, {path.name}: {size:.0f} MB, {len(data):,} rows, "
                    f"{', '.join(data.column_names)}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
