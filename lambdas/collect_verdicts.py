"""CollectVerdicts: the replies of a judge that was asked by calls, as its job's output."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import lambda_function, logger
from lambdas.settings import FunctionSettings, load
from nova_judge.aws import s3
from nova_judge.layout import RunLayout
from nova_judge.runs.run import Run
from nova_judge.steps.collected_replies import collect_verdicts


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, number, name}` → `{number, name, output, tokens}`, as the results processor reads.

    Raises JudgeJobError where the judge gave not one verdict.
    """
    settings = load(FunctionSettings)
    run = s3.read_record(settings.data_bucket, RunLayout(event["run_id"]).request, Run)
    number, name = event["number"], event["name"]
    folder = RunLayout(run.run_id).judge_output(number)
    rows, *tokens = collect_verdicts(run, settings.data_bucket, number, f"{folder}{name}/")
    logger.info("collected", run_id=run.run_id, job=number, rows=rows)
    return {
        "number": number,
        "name": name,
        "output": f"s3://{settings.data_bucket}/{folder}",
        "tokens": tokens,
    }
