"""Runs on disk as ProcessResults leaves them, from generated rubric judgments."""

import random
from pathlib import Path

from nova_judge.findings.judgments import read_judgments, write_judgments
from nova_judge.findings.metrics import compute_metrics
from nova_judge.findings.metrics_record import (
    CandidateFacts,
    GenerationFacts,
    InputFacts,
    JudgeFacts,
    Metrics,
    RecipeFacts,
    encode_metrics,
)
from nova_judge.pairs.judge_output import judgment_of
from nova_judge.records import InputRow, JudgedRow
from nova_judge.statistics.statistics_settings import DEFAULTS
from tests.made import details
from tests.made.generated import rows_of


def judged_rows(metrics: list[dict], prefix: str = "q") -> list[JudgedRow]:
    return [
        JudgedRow(
            row=InputRow(
                line=number,
                id=f"{prefix}{number}",
                prompt=f"question {number}?",
                response_A=f"answer A {number}",
                response_B=f"answer B {number}",
                category="math" if number % 2 else "prose",
            ),
            judgment=judgment_of(one)[0],
        )
        for number, one in enumerate(metrics, start=1)
    ]


def generated_rows(count: int, seed: int = 1) -> list[JudgedRow]:
    draw = random.Random(seed)  # noqa: S311
    return judged_rows([details.rubric_metrics(draw) for _ in range(count)])


def in_parts(run: Path, each: int) -> Path:
    """The same run with a folder of so many rows in each part, as very many rows lie."""
    file = run / "report" / "judgments.parquet"
    rows = list(read_judgments(file))
    file.unlink()
    file.mkdir()
    for number, start in enumerate(range(0, len(rows), each)):
        write_judgments(rows[start : start + each], file / f"part-{number:05d}.parquet")
    return run


def write_run(folder: Path, rows: list[JudgedRow], candidate: str = "model-b") -> Path:
    facts = Metrics(
        run_id=folder.name,
        status="completed",
        failure=None,
        kind="rubric_llm_judge",
        created="2026-01-01T00:00:00Z",
        input=InputFacts(uri="s3://b/i.jsonl", version="1", size=1),
        recipe=RecipeFacts("rubric", "0"),
        candidates={
            "A": CandidateFacts("model-a", "file"),
            "B": CandidateFacts(candidate, "file"),
        },
        judge=JudgeFacts(model="nova-2-lite"),
        statistics=DEFAULTS,
        rows=rows_of(len(rows)),
        generation=GenerationFacts(0, (), 0),
    )
    report = folder / "report"
    report.mkdir(parents=True)
    write_judgments(rows, report / "judgments.parquet")
    metrics = compute_metrics(facts, rows, None)
    (report / "metrics.json").write_bytes(encode_metrics(metrics))
    return folder
