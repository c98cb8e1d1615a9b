"""One logger and one set of metrics for all functions: ids and counts only, never prompts."""

import warnings

from aws_lambda_powertools import Logger, Metrics

from nova_judge.measures import MEASURES, NAMESPACE, SERVICE

# A call that has nothing to count is not a fault.
warnings.filterwarnings("ignore", message="No application metrics to publish")

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def measure(stage: str, values: dict[str, float]) -> None:
    """Emit measures of a stage at the end of this call, which `metrics.log_metrics` wraps."""
    if "stage" not in metrics.dimension_set:
        metrics.add_dimension("stage", stage)
    for name, value in values.items():
        metrics.add_metric(name, MEASURES[name].unit, value)
