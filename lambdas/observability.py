"""What stands around every handler: a ping, one logger, one set of metrics; never prompts."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from nova_judge import __version__
from nova_judge.measures import MEASURES, NAMESPACE, SERVICE

Handler = Callable[..., Any]
PING = {"ping": "nova-judge"}
"""The event of a ping; no service and no state machine sends such a one."""

# A call that has nothing to count is not a fault.
warnings.filterwarnings("ignore", message="No application metrics to publish")

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def lambda_function(handler: Handler) -> Handler:
    """Let a handler answer pings, log with its call's id and faults too, and emit its measures."""
    logged = logger.inject_lambda_context(logs_faults(metrics.log_metrics(handler)))
    return answers_pings(logged)


def answers_pings(handler: Handler) -> Handler:
    """Let a handler answer a ping with its version: its code and its layer import.

    Every other event is its own.
    """

    @functools.wraps(handler)
    def answer(event: object, context: object) -> object:
        if event == PING:
            return {"pong": __version__}
        return handler(event, context)

    return answer


def logs_faults(handler: Handler) -> Handler:
    """Let a handler log what it raises with the run's id, by which `runs logs` finds its lines.

    The runtime writes the stack trace too, on a line that does not say whose it is.
    """

    @functools.wraps(handler)
    def handled(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - the handler's own
        try:
            return handler(event, context)
        except Exception:
            logger.exception("it failed", extra=_whose(event))
            raise

    return handled


def _whose(event: dict[str, Any]) -> dict[str, str]:
    """The run, execution or job that an event is about, as far as it says so."""
    parts = [event, *(event.get(key) for key in ("run", "detail", "state"))]
    names = {"run_id": "run_id", "execution": "execution", "TrainingJobName": "job"}
    return {
        name: value
        for part in parts
        if isinstance(part, dict)
        for key, name in names.items()
        if isinstance(value := part.get(key), str)
    }


def measure(stage: str, values: dict[str, float]) -> None:
    """Emit measures of a stage at the end of this call, which `lambda_function` wraps."""
    if "stage" not in metrics.dimension_set:
        metrics.add_dimension("stage", stage)
    for name, value in values.items():
        metrics.add_metric(name, MEASURES[name].unit, value)
