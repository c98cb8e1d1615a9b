"""Scores of a Bedrock evaluation job that others ran: its output lines are all that is known."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nova_judge.errors import JudgeJobError
from nova_judge.recipe.bedrock_judge import bedrock_evaluation
from nova_judge.records import CANDIDATES, Candidate
from nova_judge.scores.bedrock_results import (
    RowNumbers,
    line_scores,
    numbered,
    output_lines,
    stand_in_named,
)
from nova_judge.scores.found import JobScores, ScoresFound, collected_scores
from nova_judge.scores.table import MetricFacts
from nova_judge.text import count_of


class ImportedScores(NamedTuple):
    """The scores, the models that answered by candidate, the judge, and the number of rows."""

    found: ScoresFound
    names: dict[Candidate, str]
    judge: str
    rows: int


def imported_bedrock(files: Sequence[Path]) -> ImportedScores:
    """Every score in the output files of one evaluation job, of one model or of two.

    Equal prompts of two models are one row, in the order of the files. Raises JudgeJobError.
    """
    lines = list(output_lines(files))
    read = [line for line in lines if line is not None]
    models = list(dict.fromkeys(line.model for line in read))
    if not read:
        raise JudgeJobError(
            f"{files[0].name} is not the output of an evaluation: name output.tar.gz, or a folder "
            "with the output of a job"
        )
    if len(models) > len(CANDIDATES):
        raise JudgeJobError(
            f"{files[0].name}: {len(models)} models answered in this evaluation output, and one or "
            "two can be read: name the output of one of them."
        )
    sides = dict(zip(models, CANDIDATES, strict=False))
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
    facts = {score.metric: _facts(score.metric) for score in scores}
    lost = len(lines) - len(read)
    notes = (f"{count_of(lost, 'line')} of the evaluation output cannot be read",) if lost else ()
    stand_in = next((name for one in scores if (name := stand_in_named(one.explanation))), None)
    job = JobScores("", scores, notes=notes, stand_in=stand_in)
    judge = next((line.judge for line in read if line.judge), "")
    names = {side: model or f"response_{side}" for model, side in sides.items()}
    return ImportedScores(collected_scores(facts, [job]), names, judge, len(rows) + lost)


def _facts(metric: str) -> MetricFacts:
    """A built-in metric lies in [0, 1]; the scale of a custom one is taken from its scores."""
    builtin = bedrock_evaluation().metrics.get(metric)
    return MetricFacts(scale=None) if builtin is None else MetricFacts(builtin.better)
