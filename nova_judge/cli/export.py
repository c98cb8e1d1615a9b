"""`nova-judge export`: training data from judged rows."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from nova_judge.aws.fetched_runs import open_run
from nova_judge.cli.terminal import Console
from nova_judge.errors import RequestError
from nova_judge.findings.export import Filters, Format, export
from nova_judge.findings.saved_report import SavedReport, open_report
from nova_judge.pairs.criteria import load_groups


def command(
    run: Annotated[str, typer.Argument(help="A run's folder, or s3://bucket/runs/<id>/.")],
    out: Annotated[Path, typer.Option(help="The JSON Lines file to write; it must not exist.")],
    form: Annotated[
        Format, typer.Option("--format", help="What the records are for.")
    ] = Format.DPO,
    margin: Annotated[
        str, typer.Option(help="LEAST:MOST, how far apart the answers' weighted scores may be.")
    ] = "0:1",
    min_score: Annotated[
        float, typer.Option(min=0, max=1, help="The least weighted score of the better answer.")
    ] = 0.0,
    criterion: Annotated[
        list[str] | None,
        typer.Option(help="NAME:LEAST, the least score from 0 to 1 that the answer needs."),
    ] = None,
    groups: Annotated[
        Path | None, typer.Option(help="Your own table of criterion groups, JSON or YAML.")
    ] = None,
) -> None:
    """Write preference pairs (dpo), answers (sft) or pairs from easy to hard (curriculum).

    Only rows where both orders name the same candidate, and whose margin does not contradict it.
    Margins and scores are recomputed from the criteria; each record carries its provenance. A
    curriculum has three stages and is held in memory.

    Examples:

      nova-judge export out/rubric --format dpo --out pairs.jsonl --margin 0.2:1

      nova-judge export out/rubric --format sft --out answers.jsonl --criterion accuracy:0.75

      nova-judge export out/rubric --format curriculum --out stages.jsonl --margin 0.05:0.9
    """
    table = load_groups(groups)
    least = {table.group(name): share for name, share in map(_least, criterion or ())}
    filters = Filters(*_margins(margin), min_score, least, table)
    report = open_report(open_run(run))
    left_out: Counter[str] = Counter()
    with Console(stderr=True).status("Writing the records"):
        written = _write(out, _lines(report, form, filters, left_out))
    console = Console(stderr=True, highlight=False)
    if written:
        console.print(f"{written:,} records in {escape(str(out))}", soft_wrap=True)
    for reason, rows in left_out.most_common():
        console.print(f"  left out {rows:,}: {escape(reason)}")
    if not written:
        raise RequestError(f"No row of {run} becomes a record, so that no file was written.")


def _lines(
    report: SavedReport, form: Format, filters: Filters, left_out: Counter[str]
) -> Iterator[bytes]:
    for record in export(report.rows(), form, filters, report.metrics, left_out):
        yield msgspec.json.encode(record) + b"\n"


def _write(out: Path, lines: Iterator[bytes]) -> int:
    """Write a new file and return the number of records; where there is none, or an error, no file.

    Raises RequestError where the file is there already.
    """
    first = next(lines, None)
    if first is None:
        return 0
    try:
        file = out.open("xb")
    except FileExistsError as error:
        raise RequestError(f"{out} exists already: name a new file, or remove it first.") from error
    written = 0
    try:
        with file:
            for line in chain([first], lines):
                file.write(line)
                written += 1
    except BaseException:
        out.unlink()
        raise
    return written


def _margins(text: str) -> tuple[float, float]:
    least, _, most = text.partition(":")
    low, high = _share(least), _share(most)
    if low is None or high is None or low > high:
        raise RequestError(f"--margin {text}: write LEAST:MOST from 0 to 1, as in 0.1:0.9")
    return low, high


def _least(text: str) -> tuple[str, float]:
    name, _, least = text.rpartition(":")
    share = _share(least)
    if not name or share is None:
        raise RequestError(f"--criterion {text}: write NAME:LEAST from 0 to 1, as in accuracy:0.75")
    return name, share


def _share(text: str) -> float | None:
    try:
        share = float(text)
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None
