"""What a pair judge's container writes of its rows, for judges that are not a container.

One details row a pair and one set of figures: everything that reads a Nova job reads these too.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from nova_judge.pairs.job_findings import COUNTS, resampled_rates
from nova_judge.pairs.safe_literal import RowMetrics
from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.pairs.yaml_output import parse_rubric
from nova_judge.records import Criterion, JudgedAs, Judgment, Rubric, Unscored, Verdict
from nova_judge.verdict_labels import LABELS, parse_verdict, turned

DETAILS_COLUMNS: Final = {
    "full_prompt": "VARCHAR",
    "gold": "VARCHAR[]",
    "metrics": "VARCHAR",
    "predictions": "VARCHAR[]",
    "pred_logits": "DOUBLE[]",
}
_RESAMPLES = 10_000
_SCORES = ("weighted_score_A", "weighted_score_B", "score_margin")

Numbers: TypeAlias = dict[str, float]


class Detail(NamedTuple):
    """One row of the details file; `metrics` is written as a Python dict in text."""

    full_prompt: str
    metrics: Mapping[str, Any]
    predictions: list[str]
    gold: str = ""

    def columns(self) -> dict[str, object]:
        """The row by `DETAILS_COLUMNS`."""
        return {
            "full_prompt": self.full_prompt,
            "gold": [self.gold] if self.gold else [],
            "metrics": repr(dict(self.metrics)),
            "predictions": self.predictions,
            "pred_logits": [],
        }


class WrittenPasses(NamedTuple):
    """What a judge wrote of one row in both orders, or why a pass has no finished output."""

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


def pairwise_metrics(row: WrittenPasses) -> RowMetrics:
    """The metrics of a row that got verdicts alone."""
    numbers = row_numbers(row)
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


def rubric_metrics(row: WrittenPasses) -> RowMetrics:
    """The metrics of a row with the forward pass's rubric, as the second post prints it."""
    numbers = row_numbers(row)
    forward, backward = row.verdicts()
    rubric = Unscored(row.forward_error) if row.forward_error else parse_rubric(row.forward)
    criteria = rubric.criteria if isinstance(rubric, Rubric) else ()
    scores = recomputed_scores(Judgment(forward=forward, backward=backward, rubric=rubric))
    return {
        "predictions": [LABELS[forward].strip("[]") if isinstance(forward, Verdict) else ""],
        "a_scores": numbers["a_scores"],
        "b_scores": numbers["b_scores"],
        "weighted_score_A": scores.A if scores else None,
        "weighted_score_B": scores.B if scores else None,
        "score_margin": scores.margin if scores else None,
        "overall_justification": rubric.overall_justification if isinstance(rubric, Rubric) else "",
        "criteria_breakdown": {c.name: _as_written(c) for c in criteria},
        **row.errors(),
    }


def row_numbers(row: WrittenPasses, metrics: RowMetrics | None = None) -> Numbers:
    """Number of the two passes with each outcome, and the scores that `metrics` holds."""
    verdicts = row.verdicts()
    scores = {k: metrics[k] for k in _SCORES if metrics.get(k) is not None} if metrics else {}
    return {
        "a_scores": float(verdicts.count(Verdict.A)),
        "b_scores": float(verdicts.count(Verdict.B)),
        "ties": float(verdicts.count(Verdict.TIE) + verdicts.count(Verdict.BOTH_BAD)),
        "inference_error": float(sum(not isinstance(verdict, Verdict) for verdict in verdicts)),
        **scores,
    }


def job_numbers(rows: Sequence[Numbers]) -> Numbers:
    """The container's figures: counts over both passes, means of the scores, the win rate."""
    metrics: Numbers = {}
    for key in COUNTS:
        values = np.array([row[key] for row in rows])
        metrics |= {key: float(values.sum()), f"{key}_stderr": _standard_error(values)}
    metrics |= {"score": metrics["b_scores"], "score_stderr": metrics["b_scores_stderr"]}
    for key in _SCORES:
        values = np.array([row[key] for row in rows if key in row])
        if values.size:
            metrics |= {key: float(values.mean()), f"{key}_stderr": _standard_error(values)}
    others = metrics["ties"] + metrics["inference_error"]
    return metrics | bradley_terry(int(metrics["a_scores"]), int(metrics["b_scores"]), int(others))


def bradley_terry(a: int, b: int, others: int) -> Numbers:
    """P(B beats A) by Bradley-Terry, which for two is B/(A+B), and a percentile bootstrap.

    Resamples in which only one side wins are dropped: that reproduces the interval AWS publishes
    for 3 wins of A, 7 of B and 1 error. Without a decisive judgment the rate is a half by symmetry.
    """
    if a + b == 0:
        return {"winrate": 0.5, "lower_rate": 0.0, "upper_rate": 1.0}
    low, high = np.percentile(resampled_rates(a, b, others, _RESAMPLES), [2.5, 97.5])
    return {"winrate": b / (a + b), "lower_rate": float(low), "upper_rate": float(high)}


def _as_written(criterion: Criterion) -> RowMetrics:
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


def _standard_error(values: "np.ndarray[Any, np.dtype[np.float64]]") -> float:
    return float(values.std(ddof=1) / math.sqrt(values.size)) if values.size > 1 else 0.0
