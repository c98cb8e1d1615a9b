"""The task family `llm_judge` and `rubric_llm_judge`: every row judged in both orders."""

import math
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np

from nova_judge.errors import LocalModeError
from nova_judge.json_lines import require_lines
from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.pairs.yaml_output import parse_rubric
from nova_judge.records import Criterion, JudgedAs, Judgment, Rubric, Unscored, Verdict
from nova_judge.verdict_labels import parse_verdict, turned
from nova_judge_local.container.mounted_job import ContainerJob
from nova_judge_local.container.output_files import Detail, OutputWriter
from nova_judge_local.judges.kept_verdicts import KeptVerdicts
from nova_judge_local.judges.knowledge import Knowledge, knowledge_in
from nova_judge_local.judges.pair_judges import (
    NoOutputError,
    PairJudge,
    Shown,
    VerdictForm,
    judge_from,
    judge_prompt,
)

RESAMPLES = 10_000
SEED = 0
_CHUNK = 1024
_TOLD_EVERY = 10
_LABELS = {
    Verdict.A: "A>B",
    Verdict.B: "B>A",
    Verdict.TIE: "A=B",
    Verdict.BOTH_BAD: "A=B (bothbad)",
}

Numbers: TypeAlias = dict[str, float]


class _Line(msgspec.Struct):
    prompt: str
    response_A: str
    response_B: str


class JudgedTwice(NamedTuple):
    """One row with what the judge wrote in both orders."""

    line: _Line
    forward: str
    backward: str
    forward_error: str | None = None
    backward_error: str | None = None

    def verdicts(self) -> tuple[JudgedAs, JudgedAs]:
        """Both verdicts in terms of the candidates; an output that is not finished has none."""
        forward, backward = self.forward_error, self.backward_error
        return (
            Unscored(forward) if forward else parse_verdict(self.forward),
            Unscored(backward) if backward else turned(parse_verdict(self.backward)),
        )

    def errors(self) -> dict[str, str]:
        """Reasons why passes have no finished output, for the row's metrics."""
        named = {"forward_error": self.forward_error, "backward_error": self.backward_error}
        return {name: error for name, error in named.items() if error}


def run(job: ContainerJob) -> None:
    """Judge the train file and write details and results."""
    form: VerdictForm = "rubric" if job.task == "rubric_llm_judge" else "pairwise"
    judge = _judge(job)
    knowledge = knowledge_in(job.knowledge) if job.knowledge else Knowledge([])
    writer = OutputWriter(job, f"custom|{job.task}_judge|0")
    totals: list[Numbers] = []
    metrics_of = _rubric_metrics if form == "rubric" else _pairwise_metrics

    def details() -> Iterator[Detail]:
        asking = Asking(judge, knowledge, form, job.judge_calls.concurrency)
        for row in _judged(job.data_file(), asking):
            totals.append(_row_numbers(row))
            metrics = metrics_of(row)
            totals[-1].update({k: metrics[k] for k in _SCORES if metrics.get(k) is not None})
            shown = Shown(
                row.line.prompt, row.line.response_A, row.line.response_B, "forward", None
            )
            yield Detail(judge_prompt(shown, form), metrics, [row.forward, row.backward])

    writer.details(details())
    if not totals:
        raise LocalModeError("The train file holds no row to judge.")
    writer.results(_aggregate(totals), judge.name)


def _judge(job: ContainerJob) -> PairJudge:
    """The judge of the job; a model's verdicts are kept where a folder is named."""
    calls = job.judge_calls
    judge = judge_from(job.judge, calls)
    if calls.kept is None or job.judge.partition(":")[0] not in ("openai", "bedrock"):
        return judge
    return KeptVerdicts(judge, Path(calls.kept), f"{job.judge} {calls.max_tokens}")


class Asking(NamedTuple):
    """Settings: the judge, the knowledge of the rows, and how many are judged at once."""

    judge: PairJudge
    knowledge: Knowledge
    form: VerdictForm
    rows_at_once: int

    def judged(self, line: _Line) -> JudgedTwice:
        """One row in both orders."""
        a, b = line.response_A, line.response_B
        row = self.knowledge.of(line.prompt, a, b)
        forward, forward_error = self._output(Shown(line.prompt, a, b, "forward", row))
        backward, backward_error = self._output(Shown(line.prompt, b, a, "backward", row))
        return JudgedTwice(line, forward, backward, forward_error, backward_error)

    def _output(self, shown: Shown) -> tuple[str, str | None]:
        try:
            return self.judge.output(shown, self.form), None
        except NoOutputError as error:
            return error.text, str(error)


def _judged(file: Path, asking: Asking) -> Iterator[JudgedTwice]:
    """Every row in the order of the file; a progress line now and then.

    A pass without a finished output is an inference error with its reason; when no pass has any,
    the job fails with the first one.
    """
    done = failed = 0
    first: str | None = None
    lines = require_lines(file, _Line, LocalModeError)
    with ThreadPoolExecutor(asking.rows_at_once) as pool:
        while chunk := list(islice(lines, _CHUNK)):
            for judged in pool.map(asking.judged, chunk):
                done += 1
                failed += len(judged.errors())
                first = first or judged.forward_error
                yield judged
                if done % _TOLD_EVERY == 0:
                    _tell(done)
    if first and failed == 2 * done:
        raise LocalModeError(f"The judge gave no output for any row. {first}")
    _tell(done)


def _tell(done: int) -> None:
    sys.stdout.write(f"judged {done}\n")
    sys.stdout.flush()


def _row_numbers(row: JudgedTwice) -> Numbers:
    """Number of the two passes with each outcome."""
    verdicts = row.verdicts()
    return {
        "a_scores": float(verdicts.count(Verdict.A)),
        "b_scores": float(verdicts.count(Verdict.B)),
        "ties": float(verdicts.count(Verdict.TIE) + verdicts.count(Verdict.BOTH_BAD)),
        "inference_error": float(sum(not isinstance(verdict, Verdict) for verdict in verdicts)),
    }


def _pairwise_metrics(row: JudgedTwice) -> dict[str, Any]:
    numbers = _row_numbers(row)
    return {
        "forward_output": row.forward,
        "backward_output": row.backward,
        "a_scores": numbers["a_scores"],
        "b_scores": numbers["b_scores"],
        "ties": numbers["ties"],
        "inference-score": numbers["inference_error"],
        "score": numbers["b_scores"],
        **row.errors(),
    }


_SCORES = ("weighted_score_A", "weighted_score_B", "score_margin")


def _rubric_metrics(row: JudgedTwice) -> dict[str, Any]:
    """The forward pass's rubric, as the second post prints it."""
    numbers = _row_numbers(row)
    forward, backward = row.verdicts()
    rubric = Unscored(row.forward_error) if row.forward_error else parse_rubric(row.forward)
    criteria = rubric.criteria if isinstance(rubric, Rubric) else ()
    scores = recomputed_scores(Judgment(forward=forward, backward=backward, rubric=rubric))
    return {
        "predictions": [_LABELS[forward] if isinstance(forward, Verdict) else ""],
        "a_scores": numbers["a_scores"],
        "b_scores": numbers["b_scores"],
        "weighted_score_A": scores.A if scores else None,
        "weighted_score_B": scores.B if scores else None,
        "score_margin": scores.margin if scores else None,
        "overall_justification": rubric.overall_justification if isinstance(rubric, Rubric) else "",
        "criteria_breakdown": {c.name: _as_written(c) for c in criteria},
        **row.errors(),
    }


def _as_written(criterion: Criterion) -> dict[str, Any]:
    score = bool if criterion.type == "binary" else float
    return {
        "score_A": score(criterion.score_A),
        "score_B": score(criterion.score_B),
        "weight": criterion.weight,
        "type": criterion.type,
        "description": criterion.description,
        "justification_A": criterion.justification_A,
        "justification_B": criterion.justification_B,
    }


def _aggregate(rows: list[Numbers]) -> Numbers:
    """The container's figures: counts over both passes, means of the scores, the win rate."""
    metrics: Numbers = {}
    for key in ("a_scores", "b_scores", "ties", "inference_error"):
        values = np.array([row[key] for row in rows])
        metrics |= {key: float(values.sum()), f"{key}_stderr": _standard_error(values)}
    metrics |= {"score": metrics["b_scores"], "score_stderr": metrics["b_scores_stderr"]}
    for key in _SCORES:
        values = np.array([row[key] for row in rows if key in row])
        if values.size:
            metrics |= {key: float(values.mean()), f"{key}_stderr": _standard_error(values)}
    others = metrics["ties"] + metrics["inference_error"]
    return metrics | bradley_terry(int(metrics["a_scores"]), int(metrics["b_scores"]), int(others))


def _standard_error(values: "np.ndarray[Any, np.dtype[np.float64]]") -> float:
    return float(values.std(ddof=1) / math.sqrt(values.size)) if values.size > 1 else 0.0


def bradley_terry(a: int, b: int, others: int) -> Numbers:
    """P(B beats A) by Bradley-Terry, which for two is B/(A+B), and a percentile bootstrap.

    Resamples in which only one side wins are dropped: that reproduces the interval AWS publishes
    for 3 wins of A, 7 of B and 1 error. Without a decisive judgment the rate is a half by symmetry.
    """
    total = a + b + others
    if a + b == 0:
        return {"winrate": 0.5, "lower_rate": 0.0, "upper_rate": 1.0}
    draws = np.random.default_rng(SEED).multinomial(
        total, [a / total, b / total, others / total], size=RESAMPLES
    )
    kept = draws[(draws[:, 0] > 0) & (draws[:, 1] > 0)]
    rate = b / (a + b)
    rates = kept[:, 1] / (kept[:, 0] + kept[:, 1]) if len(kept) else np.array([rate])
    low, high = np.percentile(rates, [2.5, 97.5])
    return {"winrate": rate, "lower_rate": float(low), "upper_rate": float(high)}
