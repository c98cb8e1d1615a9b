"""Generated details of a judge job, as the container writes them."""

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

NAMES = ("accuracy", "completeness", "clarity", "relevance", "readability", "tone", "conciseness")
WORDS = (
    *("the", "answer", "isn't", "wrong", "but", '"quoted"', "text,", "a", "back\\slash", "a\nline"),
    *("{braces}", "[[A>B]]", "naïve", "日本語", "😀", "and", "'more'", "quotes", "covers", "it"),
)

PHOTOSYNTHESIS: dict[str, Any] = {
    "predictions": ["B>A"],
    "a_scores": 0.0,
    "b_scores": 2.0,
    "weighted_score_A": 0.225,
    "weighted_score_B": 1.0,
    "score_margin": -0.775,
    "overall_justification": "B covers mechanism and significance.",
    "criteria_breakdown": {
        name: {
            "score_A": a,
            "score_B": 5,
            "weight": weight,
            "type": "scale",
            "description": "",
            "justification_A": "",
            "justification_B": "",
        }
        for name, a, weight in (("completeness", 2, 0.5), ("clarity", 3, 0.3), ("accuracy", 4, 0.2))
    },
}
NOTRE_DAME: dict[str, Any] = PHOTOSYNTHESIS | {
    "b_scores": 1.0,
    "weighted_score_A": 0.175,
    "weighted_score_B": 0.875,
    "score_margin": -0.7,
    "criteria_breakdown": {
        name: {**PHOTOSYNTHESIS["criteria_breakdown"]["clarity"], **scores}
        for name, scores in (
            ("accuracy", {"score_A": 2, "score_B": 4, "weight": 0.5}),
            ("completeness", {"score_A": 1, "score_B": 5, "weight": 0.3}),
            ("clarity", {"score_A": 2, "score_B": 5, "weight": 0.2}),
        )
    },
}


def text(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(WORDS, k=words))


def criterion(draw: random.Random, weight: float) -> dict[str, Any]:
    binary = draw.random() < 0.2
    scores = [draw.choice((True, False)) if binary else draw.randint(1, 5) for _ in range(2)]
    return {
        "score_A": scores[0],
        "score_B": scores[1],
        "weight": weight,
        "type": "binary" if binary else "scale",
        "description": text(draw, 8),
        "justification_A": text(draw, 15),
        "justification_B": text(draw, 15),
    }


def rubric_metrics(draw: random.Random) -> dict[str, Any]:
    names = draw.sample(NAMES, draw.randint(2, 6))
    cuts = sorted(draw.sample(range(1, 100), len(names) - 1))
    weights = [(b - a) / 100 for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    breakdown = {n: criterion(draw, w) for n, w in zip(names, weights, strict=True)}
    score_A, score_B = (
        sum(
            c["weight"] * (c[key] if c["type"] == "binary" else (c[key] - 1) / 4)
            for c in breakdown.values()
        )
        for key in ("score_A", "score_B")
    )
    wins = draw.choice([(2, 0), (0, 2), (1, 1), (1, 0), (0, 1), (0, 0)])
    label = draw.choice([name for name, count in zip("AB", wins, strict=True) if count] or ["="])
    return {
        "predictions": [{"A": "A>B", "B": "B>A", "=": "A=B"}[label]],
        "a_scores": float(wins[0]),
        "b_scores": float(wins[1]),
        "weighted_score_A": score_A,
        "weighted_score_B": score_B,
        "score_margin": score_A - score_B,
        "overall_justification": text(draw, 20),
        "criteria_breakdown": breakdown,
    }


def pairwise_metrics(forward: str, backward: str, **counts: float) -> dict[str, Any]:
    return {"forward_output": forward, "backward_output": backward, **counts}


def write(path: Path, metrics: list[Any], predictions: list[list[str]] | None = None) -> Path:
    texts = [one if isinstance(one, str | None) else str(one) for one in metrics]
    columns = {
        "full_prompt": ["…"] * len(texts),
        "gold": [""] * len(texts),
        "metrics": pa.array(texts, pa.string()),
        "pred_logits": [""] * len(texts),
    }
    if predictions is not None:
        columns["predictions"] = pa.array(predictions, pa.list_(pa.string()))
    pq.write_table(pa.table(columns), path, row_group_size=100)
    return path
