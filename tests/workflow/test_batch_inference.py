"""From the recipe's threshold on, a Bedrock candidate answers by batch inference."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from nova_judge.runs.run import Run
from tests.workflow.conftest import Account, lines

Start = Callable[..., Account]
ROWS = 130
UNANSWERED = 7
LITE = "amazon.nova-lite-v1:0"
RECIPE = """
kind: llm_judge
candidates:
  A: {bedrock: "amazon.nova-lite-v1:0"}
  B: {endpoint: qwen2.5-7b-instruct}
generation: {batch_from: 100}
judge:
  instance_type: ml.g5.12xlarge
  nova:
    run:
      model_type: amazon.nova-micro-v1:0:128k
      model_name_or_path: nova-micro/prod
      replicas: 1
      data_s3_path: ''
      output_s3_path: ''
    evaluation: {task: llm_judge, strategy: judge, metric: all}
    inference: {max_new_tokens: 8196, top_k: 50, top_p: 1.0, temperature: 0, top_logprobs: 0}
"""


def prompt(number: int) -> str:
    return f"What is {number} plus {number}?"


def recorded(folder: Path) -> Path:
    file = folder / "answers.jsonl"
    answers = [
        {"model": model, "prompt": prompt(n), "response": f"{words} {2 * n}."}
        for model, words in ((LITE, "It is"), ("Qwen/Qwen2.5-7B-Instruct", "Surely"))
        for n in range(ROWS)
        if (model, n) != (LITE, UNANSWERED)
    ]
    file.write_bytes(lines(*answers))
    return file


def test_a_bedrock_candidate_answers_in_batch_beside_an_endpoint(
    account: Start, tmp_path: Path
) -> None:
    here = account(answers=(str(recorded(tmp_path)),))
    here.client("s3").put_object(Bucket=here.bucket, Key="recipes/in-batch.yaml", Body=RECIPE)
    rows = [{"prompt": prompt(n), "reference": f"{2 * n}"} for n in range(ROWS)]

    here.drop("sums.jsonl", lines(*rows), recipe="in-batch", folder=tmp_path)
    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", (
        execution.error,
        execution.cause,
        here.emulator.function_errors.read_text(),
    )
    run_id = execution.output["run_id"]
    assert msgspec.json.decode(here.read(f"runs/{run_id}/request.json"), type=Run).batch == ("A",)
    (job,) = here.client("bedrock").list_model_invocation_jobs()["invocationJobSummaries"]
    assert (job["status"], job["modelInvocationType"]) == ("Completed", "Converse")
    metrics = here.metrics()
    assert metrics["rows"]["generation_failed"] == 1
    assert metrics["rows"]["judged"] == ROWS - 1
    responses = here.read(f"runs/{run_id}/responses/A/00000.jsonl").splitlines()
    assert len(responses) == ROWS
    assert b"It is 24." in responses[12]
    assert b"No answer" in responses[UNANSWERED]
    assert here.endpoints() == []
