"""`nova-judge export`: training data from judged rows."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
import typer
from rich.markup import escape

from nova_judge.cli.arguments import (
    AsJson,
    Drop,
    Groups,
    NewFile,
    Only,
    RunArgument,
    WeightsAsked,
    leasts,
    reweighing,
    share_of,
)
from nova_judge.cli.terminal import Console, print_json
from nova_judge.errors import RequestError
from nova_judge.findings.reweighed import choose_weights, scored_rows
from nova_judge.findings.saved_report import SavedReport
from nova_judge.findings.training_forms import Format
from nova_judge.findings.training_records import (
    Filters,
    TrainingRecord,
    export,
    export_scores,
    rows_for,
)
from nova_judge.pairs.criteria import load_groups
from nova_judge.recipe.shape import did_you_mean
from nova_judge.scores.scores_parquet import read_scores
from nova_judge.steps.import_job import report_at
from nova_judge.text import count_of

ExportForm: TypeAlias = Annotated[
    Format, typer.Option("--format", help="What the records are for.")
]
ExportMargin: TypeAlias = Annotated[
    str, typer.Option(help="LEAST:MOST, how far apart the answers' weighted scores may be.")
]
ExportMinScore: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="The least weighted score of the better answer.")
]
ExportCriterion: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="NAME:LEAST, the least score from 0 to 1 that the answer needs."),
]
ExportMetric: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Of a run that scored answers: the metric to filter by."),
]
ExportConversational: TypeAlias = Annotated[
    bool, typer.Option("--conversational", help="TRL's forms as turns, for chat templates.")
]


def command(
    run: RunArgument,
    out: NewFile,
    form: ExportForm = Format.DPO,
    margin: ExportMargin = "0:1",
    min_score: ExportMinScore = 0.0,
    criterion: ExportCriterion = None,
    groups: Groups = None,
    weights: WeightsAsked = "",
    drop: Drop = "",
    only: Only = "",
    metric: ExportMetric = None,
    conversational: ExportConversational = False,
    as_json: AsJson = False,
) -> None:
    """Write training data: TRL's dpo, sft, kto, reward, Bedrock's bedrock-sft, Nova's nova-dpo.

    Only rows where both orders name the same candidate, and whose margin does not contradict it.
    Margins and scores are recomputed from the criteria; where each record comes from is written
    beside it, into NAME.provenance.jsonl. A curriculum has three stages and is held in memory. Of
    runs that score single answers, --metric and --min-score choose the good ones.

    Examples:

      nova-judge export out/rubric --format dpo --out pairs.jsonl --margin 0.2:1

      nova-judge export out/rubric --format sft --out answers.jsonl --criterion accuracy:0.75

      nova-judge export out/rubric --format nova-dpo --only faithfulness --out nova.jsonl

      nova-judge export out/own-data --format sft --metric f1_score --min-score 0.8 --out sft.jsonl
    """
    table, report = load_groups(groups), report_at(run)
    left_out: Counter[str] = Counter()
    if report.metrics.scores:
        made = _of_scores(report, form, metric, min_score)
    else:
        chosen = choose_weights(report, reweighing(weights, drop, only), table)
        form_of_least = " from 0 to 1, as in accuracy:0.75"
        least = leasts(criterion, form_of_least, called=table.group)
        spelled = str(chosen.asked) if chosen else ""
        filters = Filters(*_margins(margin), min_score, least, table, spelled)
        rows = rows_for(form, partial(scored_rows, report, chosen))
        made = export(rows, form, filters, report.metrics, left_out, conversational=conversational)
    written = _written(out, made, left_out)
    if as_json:
        print_json({"records": written, "file": str(out), "left_out": dict(left_out)})
    if not written:
        raise RequestError(f"No row of {run} fits, so no file was written.")


def _written(out: Path, made: Iterator[TrainingRecord], left_out: Counter[str]) -> int:
    """Write the files, and say how many records there are and what was left out."""
    console = Console(stderr=True)
    with console.status("Writing the records"):
        written = _write(out, made)
    if written:
        console.print(f"{count_of(written, 'record')} in {escape(str(out))}", soft_wrap=True)
    for reason, rows in left_out.most_common():
        console.print(f"  left out {rows:,}: {escape(reason)}")
    return written


def _of_scores(
    report: SavedReport, form: Format, metric: str | None, least: float
) -> Iterator[TrainingRecord]:
    scores = read_scores(report.stored_evidence())
    scored = sorted({score.metric for score in scores})
    if metric not in scored:
        near = did_you_mean(metric or "", scored)
        raise RequestError(
            f"--metric: name one of {', '.join(scored)}, which this run scored{near}"
        )
    if form.needs_both:
        raise RequestError(
            f"--format {form} needs two answers per row; this run scored single ones"
        )
    return export_scores(scores, form, metric, least, report.metrics)


def _write(out: Path, records: Iterator[TrainingRecord]) -> int:
    """Write new files and return the number of records; where there is none, or an error, no file.

    Raises RequestError where a file is there already.
    """
    first = next(records, None)
    if first is None:
        return 0
    beside = out.with_name(f"{out.stem}.provenance.jsonl")
    for path in (out, beside):
        if path.exists():
            raise RequestError(f"{path} exists already: name a new file, or remove it first.")
    written = 0
    try:
        with out.open("xb") as file, beside.open("xb") as origins:
            for record in chain([first], records):
                file.write(msgspec.json.encode(record.training) + b"\n")
                origins.write(msgspec.json.encode(record.provenance) + b"\n")
                written += 1
    except BaseException:
        out.unlink(missing_ok=True)
        beside.unlink(missing_ok=True)
        raise
    return written


def _margins(text: str) -> tuple[float, float]:
    least, _, most = text.partition(":")
    low, high = share_of(least), share_of(most)
    if low is None or high is None or low > high:
        raise RequestError(f"--margin {text}: write LEAST:MOST from 0 to 1, as in 0.1:0.9")
    return low, high
