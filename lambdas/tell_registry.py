"""TellRegistry: a triggered run has its report. Ask the gate, and set approval or tag."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import lambda_function, logger
from lambdas.settings import TriggerSettings, load
from nova_judge.findings.run_events import RunEvent
from nova_judge.recipe.trigger import Decision
from nova_judge.steps.registry_decision import tell_registry


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The event of a run that has its report → `{run_id, outcome, approval}`."""
    settings = load(TriggerSettings)
    run = msgspec.convert(event["detail"], RunEvent).run
    decisions = msgspec.json.decode(settings.decisions, type=dict[str, Decision])
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    jobs = f"arn:{partition}:sagemaker:{region}:{account}:training-job/"
    finding = tell_registry(settings.data_bucket, run.run_id, decisions, jobs)
    logger.info(
        "registry",
        run_id=run.run_id,
        trigger=run.trigger.name if run.trigger else None,
        outcome=finding.outcome,
        reason=finding.reason,
        approval=finding.approval,
    )
    return {"run_id": run.run_id, "outcome": finding.outcome, "approval": finding.approval}
