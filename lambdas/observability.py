"""One logger and one set of metrics for all functions: ids and counts only, never prompts."""

import warnings

from aws_lambda_powertools import Logger, Metrics

SERVICE = "nova-judge"

# A call that has nothing to count is no fault.
warnings.filterwarnings("ignore", message="No application metrics to publish")

logger = Logger(service=SERVICE)
metrics = Metrics(namespace="NovaJudge", service=SERVICE)
