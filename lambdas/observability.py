"""One logger, one tracer and one set of metrics for all functions. Ids and counts only, never prompts."""

from aws_lambda_powertools import Logger, Metrics, Tracer

SERVICE = "nova-judge"

logger = Logger(service=SERVICE)
metrics = Metrics(namespace="NovaJudge", service=SERVICE)
tracer = Tracer(service=SERVICE)
