"""A job that others started, from what it left: its rows, and the facts that its files state.

Nothing is known of such a job but its output and, where it is at hand, the file it was given. Rows
are matched by their place; what the file cannot use is set aside although the job judged it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.findings.imported_facts import GivenFile, JobSource, facts_of
from nova_judge.findings.metrics import compute_metrics, rows_seen, score_metrics
from nova_judge.findings.metrics_record import JudgeFacts, Metrics
from nova_judge.inputs.dataset import read_rows as read_input
from nova_judge.inputs.own_data import OwnLine, OwnRow, gen_qa_line, read_own_data
from nova_judge.inputs.reading import FROM_FILE
from nova_judge.pairs.judge_output import read_details, read_shown
from nova_judge.pairs.judged_rows import JudgedFiles, read_rows
from nova_judge.pairs.metrics_text import MetricsReader
from nova_judge.recipe.bedrock_judge import bedrock_evaluation
from nova_judge.records import CANDIDATES, Candidate, InputRow, JudgedRow, Rejected, as_rejected
from nova_judge.runs.job_output import JobOutput
from nova_judge.runs.results_json import figures_by_task, model_of, read_job_metrics, stand_in_of
from nova_judge.scores.bedrock_results import (
    RowNumbers,
    line_scores,
    numbered,
    output_lines,
    stand_in_named,
)
from nova_judge.scores.container_scores import CONTAINER_FACTS, container_job
from nova_judge.scores.found import JobScores, collected_scores
from nova_judge.scores.inference_lines import InferenceLine, inference_lines
from nova_judge.scores.table import AnswerScore, MetricFacts
from nova_judge.text import count_of, storable

NO_QUESTIONS = (
    "imported without the file that the judge was given: questions, answers, categories and labels "
    "are not known, the judge's whole prompt stands as each row's prompt, and every row counts as "
    "a prompt of its own"
)
_UNKNOWN = "not named in the job's files"
_MODEL = "the model under test"


class ImportedJob(NamedTuple):
    """The metrics of a job, its judged pairs or its scores, and the lines that were set aside."""

    metrics: Metrics
    pairs: Callable[[], Iterator[JudgedRow]] | None
    scores: Sequence[AnswerScore]
    rejected: tuple[Rejected, ...] = ()


def imported_job(source: JobSource, given: GivenFile | None, folder: Path) -> ImportedJob:
    """The job's metrics and rows; `folder` takes the rows as they are matched.

    Raises JudgeJobError where the output is of no known job, or not of the file's rows.
    """
    if source.output.judged:
        if given is not None:
            raise JudgeJobError(
                "a Bedrock evaluation output holds its own prompts and answers: leave --pairs out"
            )
        return _bedrock(source)
    kind = _kind_of(source.output)
    return _READERS.get(kind, _container)(source, kind, given, folder)


def _kind_of(output: JobOutput) -> str:
    """The kind, by the names of the tasks, else by what the first row's metrics hold."""
    tasks = [details.task for details in output.details]
    tasks += [task for path in output.results for task in figures_by_task(path)]
    for kind in _READERS:
        if any(kind in task for task in tasks):
            return kind
    for details in output.details:
        for row in read_details(details.path):
            text = row.metrics
            metrics = MetricsReader().read(text) if isinstance(text, str) else text
            if isinstance(metrics, dict) and "a_scores" in metrics:
                return "rubric_llm_judge" if "criteria_breakdown" in metrics else "llm_judge"
            break
    if not (output.details or output.inference_output):
        listed = ", ".join(output.members[:20]) or "nothing"
        raise JudgeJobError(
            f"no output of an evaluation job is there: found {listed}. Name the job's "
            "output.tar.gz, the folder that it was unpacked to, or a Bedrock evaluation's folder."
        )
    return "gen_qa" if output.inference_output else "benchmark"


def _pairs(source: JobSource, kind: str, given: GivenFile | None, folder: Path) -> ImportedJob:
    output = source.output
    details = output.only_details()
    results = output.only_results() if output.results else None
    sent = _shown_rows(details) if given is None else _given_rows(given, details)
    files = JudgedFiles(details, results, _written(folder, sent.rows))
    left_out = sent.left_out

    def judged(notes: Counter[str] | None = None) -> Iterator[JudgedRow]:
        return (one for one in read_rows(files, notes) if one.row.line not in left_out)

    disagreements: Counter[str] = Counter()
    judge = JudgeFacts(
        model=model_of(output.results) or _UNKNOWN, stand_in=stand_in_of(output.results)
    )
    facts = facts_of(source, kind, given, sent.lines, judge=judge, rejected=sent.rejected)
    if given is None:
        facts = msgspec.structs.replace(facts, notes=(*facts.notes, NO_QUESTIONS))
    metrics = compute_metrics(
        facts, judged(disagreements), read_job_metrics(results) if results else None
    )
    odd = (f"{count_of(count, 'row')}: {why}" for why, count in disagreements.most_common())
    metrics = msgspec.structs.replace(metrics, notes=(*metrics.notes, *odd))
    return ImportedJob(metrics, judged, (), sent.rejected)


class _Sent(NamedTuple):
    """The rows that the judge was sent; `left_out` are lines among them that do not count."""

    rows: Sequence[InputRow]
    lines: int
    left_out: frozenset[int] = frozenset()
    rejected: tuple[Rejected, ...] = ()


def _shown_rows(details: Path) -> _Sent:
    rows = [
        InputRow(
            line=number, id=f"row-{number}", prompt=storable(str(shown or "")), cluster=str(number)
        )
        for number, (shown,) in enumerate(read_shown(details, ["full_prompt"]), start=1)
    ]
    return _Sent(rows, len(rows))


def _given_rows(given: GivenFile, details: Path) -> _Sent:
    """The file's rows by their place in the details: all lines, or the usable ones alone."""
    with given.lines.open("rb") as file:
        read = list(read_input(file, given.lines.stat().st_size, FROM_FILE))
    usable = [row for row in read if isinstance(row, InputRow)]
    rejected = tuple(as_rejected(row) for row in read if not isinstance(row, InputRow))
    judged = sum(1 for _ in read_shown(details, ["metrics"]))
    if judged == len(usable):
        return _Sent(usable, len(read), rejected=rejected)
    if judged != len(read):
        raise JudgeJobError(
            f"{given.name} has {count_of(len(read), 'line')}, of which {len(usable):,} can be "
            f"used, and the job judged {count_of(judged, 'row')}: name the file that this job was "
            "given."
        )
    rows = [
        row if isinstance(row, InputRow) else InputRow(line=row.line, id="", prompt="")
        for row in read
    ]
    return _Sent(rows, len(read), frozenset(one.line for one in rejected), rejected)


def _container(source: JobSource, kind: str, given: GivenFile | None, folder: Path) -> ImportedJob:
    """Own data and benchmarks: the model's answers, scored again where their references are."""
    output = source.output
    rejected: tuple[Rejected, ...] = ()
    rows: list[OwnRow] = []
    if given is not None:
        with given.lines.open("rb") as file:
            read = list(read_own_data(file, given.lines.stat().st_size, gen_qa_line))
        rows = [one.row for one in read if isinstance(one, OwnLine)]
        rejected = tuple(one for one in read if isinstance(one, Rejected))
    elif output.inference_output:
        rows = list(_asked(output.inference_output))
    sent = _written(folder, rows) if rows else None
    found = collected_scores(CONTAINER_FACTS, [container_job("base", output, sent)])
    count = len(rows) or rows_seen(found)
    model = model_of(output.results) or _MODEL
    facts = facts_of(
        source,
        kind,
        given,
        count + len(rejected),
        judge=JudgeFacts(model=model, role="model", stand_in=found.stand_in),
        rejected=rejected,
    )
    metrics = score_metrics(facts, found, sent=count, names={"base": model})
    return ImportedJob(metrics, None, found.scores, rejected)


def _written(folder: Path, rows: Iterable[InputRow | OwnRow]) -> Path:
    """The rows that a job was sent, as JSON lines."""
    path = folder / "rows.jsonl"
    path.write_bytes(msgspec.json.Encoder().encode_lines(rows))
    return path


def _asked(files: Iterable[Path]) -> Iterator[OwnRow]:
    """The rows that the answers' own lines name."""
    lines = (line for path in files for line in inference_lines(path))
    for number, line in enumerate(lines, start=1):
        known = line if isinstance(line, InferenceLine) else InferenceLine(line)
        yield OwnRow(number, str(number), known.prompt, known.gold)


_READERS: Final = {
    "rubric_llm_judge": _pairs,
    "llm_judge": _pairs,
    "gen_qa": _container,
    "rft_eval": _container,
}
"""Kinds by a word in the names of their tasks, the longer word first."""


def _bedrock(source: JobSource) -> ImportedJob:
    """Every score in the output files of one evaluation job, of one model or of two.

    Equal prompts of two models are one row, in the order of the files.
    """
    files = source.output.judged
    lines = list(output_lines(files))
    read = [line for line in lines if line is not None]
    sides = _sides(files[0].name, [line.model for line in read])
    rows: RowNumbers = {}
    scores = [
        score._replace(
            category=line.inputRecord.category,
            answer=line.answer or "",
            reference=line.inputRecord.referenceResponse or "",
        )
        for row, line in numbered(read, rows)
        for score in line_scores(sides[line.model], row, line)
    ]
    lost = len(lines) - len(read)
    notes = (f"{count_of(lost, 'line')} of the evaluation output cannot be read",) if lost else ()
    stand_in = next((name for one in scores if (name := stand_in_named(one.explanation))), None)
    found = collected_scores(
        {score.metric: _facts_of_metric(score.metric) for score in scores},
        [JobScores("", scores, notes=notes, stand_in=stand_in)],
    )
    names = {
        side: source.names.get(side) or model or f"response_{side}" for model, side in sides.items()
    }
    judge = next((line.judge for line in read if line.judge), _UNKNOWN)
    sent = len(rows) + lost
    facts = facts_of(
        source._replace(names=names),
        "bedrock_judge",
        None,
        sent,
        judge=JudgeFacts(model=judge, stand_in=stand_in),
        judged=tuple(names),
    )
    called = {str(side): name for side, name in names.items()}
    return ImportedJob(score_metrics(facts, found, sent=sent, names=called), None, found.scores)


def _sides(file: str, models: Sequence[str]) -> dict[str, Candidate]:
    """The candidate that each model is, in the order of the lines."""
    if not models:
        raise JudgeJobError(
            f"{file} is not the output of an evaluation: name output.tar.gz, or a folder "
            "with the output of a job"
        )
    different = list(dict.fromkeys(models))
    if len(different) > len(CANDIDATES):
        raise JudgeJobError(
            f"{file}: {len(different)} models answered in this evaluation output, and one or "
            "two can be read: name the output of one of them."
        )
    return dict(zip(different, CANDIDATES, strict=False))


def _facts_of_metric(metric: str) -> MetricFacts:
    """A built-in metric lies in [0, 1]; the scale of a custom one is taken from its scores."""
    builtin = bedrock_evaluation().metrics.get(metric)
    return MetricFacts(scale=None) if builtin is None else MetricFacts(builtin.better)
