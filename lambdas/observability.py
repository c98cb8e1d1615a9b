"""One logger and one set of metrics for all functions: ids and counts only, never prompts."""

from aws_lambda_powertools import Logger, Metrics

SERVICE = "nova-judge"

logger = Logger(service=SERVICE)
metrics = Metrics(namespace="NovaJudge", service=SERVICE)
