"""Metrics of a run that scored single answers, from a table of scores."""

from nova_judge.findings.metrics import score_headline
from nova_judge.findings.metrics_record import (
    CandidateFacts,
    ErrorCount,
    GenerationFacts,
    InputFacts,
    JudgeFacts,
    Metrics,
    RecipeFacts,
    Rows,
)
from nova_judge.pairs.job_figures import JobFigures
from nova_judge.scores.table import ScoreTable
from nova_judge.statistics.statistics_settings import StatisticsSettings

HOSTILE = "<script>alert(1)</script>\u202e$x^$ & more"


def metrics(table: ScoreTable, subjects: tuple[str, ...] = ("A", "B"), rows: int = 2) -> Metrics:
    """A run of Bedrock's judge with `rows` judged rows, with differences between two subjects."""
    scores = table.figures(0.95)
    first, *others = subjects
    differences = table.differences(first, others[0], 0.95) if others else ()
    return Metrics(
        run_id="r-1",
        status="completed",
        failure=None,
        kind="bedrock_judge",
        created="2026-11-21T10:00:00Z",
        input=InputFacts("s3://b/k.jsonl", "1", 10),
        recipe=RecipeFacts("mine", "0" * 64),
        candidates={"A": CandidateFacts(HOSTILE, "file"), "B": CandidateFacts("b", "file")},
        judge=JudgeFacts(model="m", jobs=("j",)),
        statistics=StatisticsSettings(),
        rows=Rows(input=rows + 1, rejected=1, generation_failed=0, judge_failed=0, judged=rows),
        headline=score_headline(scores, differences, {"A": HOSTILE}),
        scores=scores,
        differences=differences,
        job=JobFigures(reported=()),
        generation=GenerationFacts(0, (), 0),
        errors=(ErrorCount("input", HOSTILE, 1),),
        notes=(HOSTILE,),
    )
