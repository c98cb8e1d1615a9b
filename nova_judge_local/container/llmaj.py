"""The second step of a serverless evaluation by Bedrock's judge: it scores the answers."""

import json
from statistics import fmean, pstdev
from typing import Any

from nova_judge.errors import LocalModeError
from nova_judge.recipe.bedrock_judge import BUILTIN
from nova_judge_local.bedrock.evaluations import custom_definitions, write_output
from nova_judge_local.container.mounted_job import ContainerJob
from nova_judge_local.engine.clients import client
from nova_judge_local.job_channels import read
from nova_judge_local.judges.answer_judge import answer_judge, judged_lines

_REGION = "us-east-1"  # S3's clients need one; the emulated account does not ask


def run(job: ContainerJob) -> None:
    """Read the answers from S3, judge them, and write the judgments and their means."""
    if job.outside.account is None:
        raise LocalModeError("This job reads S3, but no account can be reached from here.")
    s3 = client("s3", job.outside.account, _REGION)
    asked = job.hyperparameters
    own = json.loads(read(s3, asked["custom_metrics"])) if "custom_metrics" in asked else []
    custom = custom_definitions(own)
    metrics = [f"{BUILTIN}{name}" for name in json.loads(asked["llmaj_metrics"])] + list(custom)
    judge = answer_judge(job.outside.judge)
    content = read(s3, asked["inference_data_s3_path"])
    answered = (line for line in map(json.loads, content.splitlines()) if line["inference"])
    records = [_record(line) for line in answered]
    lines = judged_lines(judge, records, metrics, custom, job.outside.judge_calls.concurrency)
    base = f"{asked['output_path'].rstrip('/')}/{job.run_name}-judged"
    write_output(s3, base, "model", "nova-judge", lines)
    _write_means(job, lines)


def _record(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "prompt": line["prompt"],
        "referenceResponse": line.get("gold"),
        "modelResponses": [{"response": line["inference"], "modelIdentifier": "model"}],
    }


def _write_means(job: ContainerJob, lines: list[dict[str, Any]]) -> None:
    """`bedrock_llm_judge_results.json`: what AWS's SDK reads first."""
    results: dict[str, dict[str, float]] = {}
    scores = [score for line in lines for score in line["automatedEvaluationResult"]["scores"]]
    for name in dict.fromkeys(score["metricName"] for score in scores):
        held = [s["result"] for s in scores if s["metricName"] == name]
        values = [value for value in held if isinstance(value, float | int)]
        if values:
            results[name.removeprefix(BUILTIN)] = {
                "score": fmean(values),
                "std_deviation": pstdev(values),
                "total_evaluations": len(values),
            }
    content = {"job_name": f"{job.run_name}-judged", "results": results}
    file = job.results_folder() / "bedrock_llm_judge_results.json"
    file.write_text(json.dumps(content, indent=2), "utf-8")
