"""The tasks of own data (`gen_qa`), rewards (`rft_eval`), answers alone, and their judge."""

import json
from collections.abc import Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any, NamedTuple

import msgspec
import orjson

from nova_judge.errors import LocalModeError
from nova_judge.pairs.container_details import Detail
from nova_judge.recipe.bedrock_judge import BUILTIN
from nova_judge.records import Unscored
from nova_judge.scores.text_metrics import container_metrics, corpus_bleu
from nova_judge_local.bedrock.evaluations import custom_definitions, write_output
from nova_judge_local.container.mounted_job import (
    STAND_IN,
    ContainerJob,
    with_standard_errors,
    write_details,
    write_results,
)
from nova_judge_local.container.preset_scorers import NAMES, preset_scores
from nova_judge_local.emulator_settings import answering
from nova_judge_local.engine.clients import client
from nova_judge_local.job_channels import read
from nova_judge_local.judges.answer_judge import answer_judge, judged_lines

OK = 200
_REGION = "us-east-1"  # S3's clients need one; the emulated account does not ask


class _Line(msgspec.Struct):
    query: str | None = None
    response: str = ""
    metadata: Any = None
    messages: list[dict[str, Any]] = []
    reference_answer: dict[str, Any] = {}
    id: str = ""


class AnsweredRow(NamedTuple):
    """One row of the train file with the model's answer."""

    line: _Line
    prompt: str
    reference: str
    answer: str
    failure: str | None = None


def run(job: ContainerJob) -> None:
    """`gen_qa`: F1, ROUGE, BLEU and exact match, and what a scorer of your own says beside them."""
    answered = _answered(job)
    given = [each for each in answered if each.failure is None]
    scored = iter(
        container_metrics(each.answer, each.reference) | own
        for each, own in zip(given, _own_scores(job, given), strict=True)
    )
    rows = [next(scored) if each.failure is None else {} for each in answered]
    bleu = corpus_bleu((each.answer, each.reference) for each in given)
    _write_scores(job, answered, rows, bleu=bleu)
    _write_inference(job, answered)


def run_rewards(job: ContainerJob) -> None:
    """`rft_eval`: what the reward function says of each answer."""
    answered = _answered(job)
    arn = job.recipe.get("rl_env", {}).get("reward_lambda_arn") or ""
    rows = [{} if each.failure else _reward(job, arn, each) for each in answered]
    _write_scores(job, answered, rows)


def run_answers(job: ContainerJob) -> None:
    """`inference_only`: the model's answers, and nothing else."""
    _write_inference(job, _answered(job))


def _write_scores(
    job: ContainerJob,
    answered: Sequence[AnsweredRow],
    rows: Sequence[Mapping[str, float]],
    **of_all: float,
) -> None:
    """Write the rows' scores, their means, and figures `of_all` rows.

    A row without an answer has no prediction.
    """
    key = f"custom|{job.task}_{job.task}|0"
    details = (
        Detail(each.prompt, row, [each.answer] if each.failure is None else [], each.reference)
        for each, row in zip(answered, rows, strict=True)
    )
    write_details(job, key, details)
    metrics = with_standard_errors(rows) | of_all
    write_results(job, {key: metrics}, metrics, _stand_in(job))


def _stand_in(job: ContainerJob) -> str:
    scorer = (job.recipe.get("processor") or {}).get("preset_reward_function")
    description = f"{STAND_IN} ({answering(job.outside.model.server)})"
    return f"{description}, {scorer} by a stand-in" if scorer else description


def _answered(job: ContainerJob) -> list[AnsweredRow]:
    decoder = msgspec.json.Decoder(_Line)
    lines = [decoder.decode(line) for line in job.data_file().read_bytes().splitlines()]
    if not lines:
        raise LocalModeError("The train file holds no row.")
    prompts = [_prompt(line) for line in lines]
    answers = job.outside.model.answers(job.model, [(prompt, prompt) for prompt in prompts])
    rows = []
    for line, prompt, answer in zip(lines, prompts, answers, strict=True):
        given = ("", answer.reason) if isinstance(answer, Unscored) else (answer, None)
        reference = line.response or str(line.reference_answer.get("text", ""))
        rows.append(AnsweredRow(line, prompt, reference, *given))
    return rows


def _prompt(line: _Line) -> str:
    asked = [turn["content"] for turn in line.messages if turn.get("role") == "user"]
    prompt = line.query if line.query is not None else (asked[-1] if asked else None)
    if prompt is None:
        raise LocalModeError("A row has neither `query` nor a message of the user.")
    return prompt


def _own_scores(job: ContainerJob, answered: Sequence[AnsweredRow]) -> list[dict[str, float]]:
    """The metrics of the recipe's processor; a sample that failed has none."""
    processor = job.recipe.get("processor") or {}
    preset = processor.get("preset_reward_function")
    if preset:
        return _preset_scores(preset, answered)
    arn = job.hyperparameters.get("eval_lambda_arn") or processor.get("lambda_arn")
    if not arn:
        return [{} for _ in answered]
    return [_custom_metrics(job, arn, each) for each in answered]


def _preset_scores(name: str, answered: Sequence[AnsweredRow]) -> list[dict[str, float]]:
    if name not in NAMES:
        raise LocalModeError(f"{name!r} is not a preset scorer: {', '.join(NAMES)} are.")
    rows = [
        {
            "prompt": each.prompt,
            "answer": each.answer,
            "reference": each.reference,
            "metadata": each.line.metadata,
        }
        for each in answered
    ]
    scored = preset_scores(name, rows)
    return [{} if isinstance(scores, Unscored) else _named(name, scores) for scores in scored]


def _named(name: str, scores: dict[str, float]) -> dict[str, float]:
    """The first metric under the preset's name, any further ones under their own."""
    first, *rest = scores.items()
    return {name: first[1], **dict(rest)}


def _custom_metrics(job: ContainerJob, arn: str, answered: AnsweredRow) -> dict[str, float]:
    data = {
        "prompt": answered.prompt,
        "inference_output": answered.answer,
        "gold": answered.reference,
    }
    if answered.line.metadata is not None:
        data["metadata"] = answered.line.metadata
    answer = _invoked(job, arn, {"process_type": "postprocess", "data": data})
    if not isinstance(answer, dict) or answer.get("statusCode") != OK:
        return {}
    return {entry["metric"]: float(entry["value"]) for entry in answer["body"]}


def _reward(job: ContainerJob, arn: str, answered: AnsweredRow) -> dict[str, float]:
    turns = [*answered.line.messages, {"role": "assistant", "content": answered.answer}]
    sample = {
        "id": answered.line.id,
        "messages": turns,
        "reference_answer": answered.line.reference_answer,
        "metadata": answered.line.metadata,
    }
    answer = _invoked(job, arn, [sample])
    if not isinstance(answer, list):
        return {}
    rewards = {m["name"]: float(m["value"]) for m in answer[0].get("metrics_list", [])}
    return {"aggregate_reward_score": float(answer[0]["aggregate_reward_score"])} | rewards


def _invoked(job: ContainerJob, arn: str, event: object) -> Any:  # noqa: ANN401 - JSON
    """The function's answer; the container fails when the function does not exist."""
    if job.outside.account is None:
        raise LocalModeError("This job calls a Lambda function, but none can be reached from here.")
    functions = client("lambda", job.outside.account, arn.split(":")[3])
    try:
        answer = functions.invoke(FunctionName=arn, Payload=json.dumps(event).encode())
    except functions.exceptions.ResourceNotFoundException as error:
        raise LocalModeError(
            f"The function {arn} does not exist: own scorers are files in scorers/, deployed "
            "with the stacks."
        ) from error
    return json.loads(answer["Payload"].read())


def _write_inference(job: ContainerJob, answered: Sequence[AnsweredRow]) -> None:
    with (job.results_folder() / "inference_output.jsonl").open("wb") as file:
        for each in answered:
            line: dict[str, Any] = {"prompt": each.prompt, "gold": each.reference}
            line["inference"] = each.answer if each.failure is None else None
            if each.failure is not None:
                line["error"] = each.failure
            if each.line.metadata is not None:
                line["metadata"] = each.line.metadata
            file.write(orjson.dumps(line) + b"\n")


def run_judged(job: ContainerJob) -> None:
    """`llmaj`, the second step of a serverless evaluation by Bedrock's judge.

    It reads the answers from S3, judges them, and writes the judgments and their means.
    """
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
