"""Output of judge jobs that others ran, as AWS's documents and posts show it."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.made.details import NOTRE_DAME

STAMP = "2025-11-20T10-11-12.345678"
RUBRIC = "custom|rubric_llm_judge_judge|0"
PAIRWISE = "custom|llm_judge_judge|0"
OWN_DATA = "custom|gen_qa_gen_qa|0"
FIRST_POST = {
    "a_scores": 16.0,
    "b_scores": 10.0,
    "ties": 0.0,
    "inference_error": 0.0,
    "winrate": 0.38,
    "lower_rate": 0.23,
    "upper_rate": 0.56,
}
"""The counts of AWS's first post."""
POST = {
    "a_scores": 3.0,
    "b_scores": 7.0,
    "ties": 0.0,
    "inference_error": 1.0,
    "score": 7.0,
    "winrate": 0.7,
    "lower_rate": 0.4,
    "upper_rate": 0.909,
}
"""The counts of AWS's second post: eleven rows, one judgment each."""
POST_ROWS: list[dict[str, Any]] = [
    *[NOTRE_DAME] * 7,
    *[NOTRE_DAME | {"predictions": ["A>B"], "a_scores": 1.0, "b_scores": 0.0}] * 3,
    {"predictions": [], "a_scores": 0.0, "b_scores": 0.0, "inference_error": 1.0},
]


def details(rows: list[dict[str, Any]], prompts: list[str]) -> bytes:
    table = pa.table(
        {
            "full_prompt": prompts,
            "gold": [[] for _ in rows],
            "metrics": [repr(row) for row in rows],
            "predictions": [["what the judge wrote"] for _ in rows],
        }
    )
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


def files(
    task: str,
    figures: dict[str, float],
    rows: list[dict[str, Any]],
    inference: list[dict[str, Any]] | None = None,
    prompts: list[str] | None = None,
) -> dict[str, bytes]:
    stated = {
        "config_general": {"model_name": "nova-micro/prod"},
        "results": {task: figures, "all": figures},
        "versions": {},
    }
    shown = prompts or [f"Judge question {n}?" for n in range(1, len(rows) + 1)]
    held = {
        f"my-run/eval_results/results_{STAMP}.json": json.dumps(stated).encode(),
        f"my-run/eval_results/details/nova-micro/prod/{STAMP}/details_{task}_{STAMP}.parquet": (
            details(rows, shown)
        ),
        "my-run/tensorboard_results/eval/events.out.tfevents.1": b"events",
    }
    if inference is not None:
        lines = "".join(json.dumps(line) + "\n" for line in inference)
        held["my-run/eval_results/inference_output.jsonl"] = lines.encode()
    return held


def archive(path: Path, held: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in held.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def post(path: Path) -> Path:
    """The archive of AWS's second post."""
    return archive(path, files(RUBRIC, POST, POST_ROWS))


def judged_line(prompt: str, answer: str, model: str, **scores: float | None) -> str:
    """A line that Bedrock's evaluation writes."""
    return json.dumps(
        {
            "automatedEvaluationResult": {
                "scores": [
                    {
                        "metricName": f"Builtin.{name}",
                        "result": result,
                        "evaluatorDetails": [
                            {"modelIdentifier": "us.amazon.nova-pro-v1:0", "explanation": "why"}
                        ],
                    }
                    for name, result in scores.items()
                ]
            },
            "inputRecord": {"prompt": prompt, "referenceResponse": "gold", "category": "facts"},
            "modelResponses": [{"response": answer, "modelIdentifier": model}],
        }
    )
