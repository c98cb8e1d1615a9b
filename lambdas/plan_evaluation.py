"""PlanEvaluation: read the request, the recipe and the file's head, and resolve the run."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.model_ways import keys_in
from lambdas.observability import lambda_function, logger
from lambdas.settings import JobSettings, load
from nova_judge.aws.ways import AwsWays
from nova_judge.inputs.run_request import parse_request
from nova_judge.preflight.weights_check import Allowed
from nova_judge.runs.run import StandIns
from nova_judge.steps.plan_run import PlanningExecution, plan_run


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{input, execution, started}` → `{run, by_event}`; writes nothing, starts nothing."""
    settings = load(JobSettings)
    request = parse_request(event["input"])
    any_model = bool(settings.stand_in_models)
    asked = PlanningExecution(
        execution=event["execution"],
        started=event["started"],
        function_arn=context.invoked_function_arn,
        data_bucket=settings.data_bucket,
        job_role_arn=settings.job_role_arn,
        candidate_endpoints=None if any_model else _listed(settings.candidate_endpoints),
        allowed=None
        if any_model
        else Allowed(
            _listed(settings.weights),
            _listed(settings.model_packages),
            _listed(settings.training_jobs),
        ),
        key_of=AwsWays(settings.job_prefix, keys_in(settings.stand_in_keys)).key_of,
        stand_ins=StandIns(
            settings.stand_in_answers or None,
            settings.stand_in_judge or None,
            _listed(settings.stand_in_absent_for),
        ),
    )
    run, checks = plan_run(request, asked)
    for check in checks:
        logger.info("pre-flight", check=check.name, status=check.status)
    logger.info("planned", run_id=run.run_id, recipe=run.recipe.name, bytes=run.input.size)
    return {"run": msgspec.to_builtins(run), "by_event": request.by_event}


def _listed(setting: str) -> tuple[str, ...]:
    return tuple(filter(None, setting.split(",")))
