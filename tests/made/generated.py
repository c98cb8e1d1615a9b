"""Generated judgments of a rubric judge, seeded: two candidates, B somewhat better."""

import random

from nova_judge.findings.metrics import compute_metrics
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
from nova_judge.records import (
    Criterion,
    InputRow,
    JudgedAs,
    JudgedRow,
    Judgment,
    Rubric,
    Unscored,
    Verdict,
)
from nova_judge.runs.row_accounting import ReasonCount
from nova_judge.statistics.statistics_settings import DEFAULTS

JOB = {
    "a_scores": 84,
    "a_scores_stderr": 0.03,
    "b_scores": 138,
    "ties": 6,
    "inference_error": 5,
    "winrate": 0.62,
    "lower_rate": 0.55,
    "upper_rate": 0.69,
    "weighted_score_A": 0.495,
    "weighted_score_B": 0.630,
    "score_margin": -0.135,
}
FAILURE = "CapacityError: no ml.p5.48xlarge was free in us-east-1. Ask for quota in Service Quotas."
NAMES = ("accuracy", "completeness", "clarity", "helpfulness", "follows the instruction")
TOPICS = ("billing", "setup", "errors", "security")


def judged_rows(number: int, seed: int = 7) -> list[JudgedRow]:
    """`number` rows; one in forty has an order without a verdict."""
    generator = random.Random(seed)  # noqa: S311  test data
    return [judged_row(line, generator) for line in range(1, number + 1)]


def judged_row(line: int, generator: random.Random) -> JudgedRow:
    """One row with rubric, both verdicts and texts of a usual length."""
    quality = generator.gauss(0.35, 1)
    row = InputRow(
        line=line,
        id=f"q-{line:05d}",
        category=generator.choice(TOPICS),
        prompt=f"How do I change plan {line} in the console? " + "Please be precise. " * 3,
        response_A=f"Open settings. Choose plan {line}. " * generator.randint(1, 9),
        response_B=f"In the console, open Billing, then Plans, then {line}. " * 4,
        reference=f"Billing > Plans > {line}",
    )
    judgment = Judgment(
        forward=_verdict(quality, generator),
        backward=_verdict(quality, generator),
        forward_output="The second answer names each step. [[B>A]]",
        backward_output="The first answer is more complete. [[A>B]]",
        rubric=_rubric(quality, generator),
    )
    return JudgedRow(row=row, judgment=judgment)


def position_biased_rows(number: int = 200, seed: int = 3) -> list[JudgedRow]:
    """Two equally good candidates; the judge prefers, and scores higher, what is shown first."""
    draw = random.Random(seed)  # noqa: S311  test data
    rows = []
    for line in range(1, number + 1):
        criteria = tuple(
            Criterion(
                name=name,
                weight=weight,
                type="scale",
                score_A=float(min(5, max(1, round(draw.gauss(3.4, 1))))),
                score_B=float(min(5, max(1, round(draw.gauss(3.0, 1))))),
            )
            for name, weight in (("accuracy", 0.5), ("clarity", 0.3), ("completeness", 0.2))
        )
        judgment = Judgment(
            forward=Verdict.A if draw.random() < 0.75 else Verdict.B,
            backward=Verdict.B if draw.random() < 0.75 else Verdict.A,
            rubric=Rubric(criteria=criteria),
        )
        row = InputRow(line=line, id=str(line), prompt=f"q {line}", category=TOPICS[line % 2])
        rows.append(JudgedRow(row=row, judgment=judgment))
    return rows


def metrics(rows: list[JudgedRow], job: dict[str, float] | None = None) -> Metrics:
    """The metrics of generated rows."""
    return compute_metrics(facts(len(rows)), rows, job)


def facts(rows: int, run_id: str = "r-3f9c2a71d0e4b856") -> Metrics:
    """A run of `rows` judged rows and seven more that were not judged."""
    return Metrics(
        run_id=run_id,
        status="completed",
        failure=None,
        kind="rubric_llm_judge",
        created="2026-11-20T14:03:27Z",
        input=InputFacts(
            uri="s3://nova-judge-data/inbox/rubric/support-questions.jsonl",
            version="kY3b0Qm1",
            size=184_213,
        ),
        recipe=RecipeFacts("rubric", "9b1f0c77d9f44a1b" * 4),
        candidates={
            "A": CandidateFacts("qwen2.5-1.5b-instruct", "endpoint"),
            "B": CandidateFacts("qwen2.5-7b-instruct", "endpoint"),
        },
        judge=JudgeFacts(
            model="amazon.nova-2-lite-v1:0:256k",
            instance_type="ml.p5.48xlarge",
            jobs=("nova-judge-r-3f9c2a71d0e4b856-0",),
        ),
        statistics=DEFAULTS,
        rows=rows_of(rows + 7, rejected=3, generation_failed=4),
        generation=GenerationFacts(4, (ReasonCount("B: timed out after 5 tries", 4),), 12),
        errors=(
            ErrorCount("input", "prompt is missing", 3),
            ErrorCount("generation", "B: timed out after 5 tries", 4),
        ),
    )


def _verdict(quality: float, generator: random.Random) -> JudgedAs:
    if generator.random() < 0.0125:
        return Unscored("no verdict label in the judge's output")
    seen = quality + generator.gauss(0.05, 0.5)
    if abs(seen) < 0.05:
        return Verdict.TIE if generator.random() < 0.7 else Verdict.BOTH_BAD
    return Verdict.B if seen > 0 else Verdict.A


def _rubric(quality: float, generator: random.Random) -> Rubric | Unscored:
    if generator.random() < 0.01:
        return Unscored("the rubric is not a mapping")
    names = generator.sample(NAMES, 3)
    weights = generator.choice(((0.5, 0.3, 0.2), (0.4, 0.4, 0.2), (0.6, 0.2, 0.2)))
    return Rubric(
        criteria=tuple(
            _criterion(name, weight, quality, generator)
            for name, weight in zip(names, weights, strict=True)
        ),
        overall_justification="B names each step and the page where it is; A leaves out the page.",
    )


def _criterion(name: str, weight: float, quality: float, generator: random.Random) -> Criterion:
    binary = name == "follows the instruction"
    score_a, score_b = (
        float(generator.random() < 0.7 + 0.1 * side * quality)
        if binary
        else float(min(5, max(1, round(3 + side * 0.7 * quality + generator.gauss(0, 0.8)))))
        for side in (-1, 1)
    )
    return Criterion(
        name=name,
        weight=weight,
        type="binary" if binary else "scale",
        score_A=score_a,
        score_B=score_b,
        description=f"How well the answer does on {name}.",
        justification_A="Leaves out where to click.",
        justification_B="Names the page and each step.",
    )


def rows_of(
    lines: int, *, rejected: int = 0, generation_failed: int = 0, not_judged: int = 0
) -> Rows:
    """The account of rows that are not judged yet."""
    return Rows(
        input=lines,
        rejected=rejected,
        generation_failed=generation_failed,
        judge_failed=None,
        judged=None,
        not_judged=not_judged,
    )
