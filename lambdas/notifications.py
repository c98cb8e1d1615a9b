"""Notify subscribers of the topic how a run ended."""

import json

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.observability import logger

_LONGEST_SUBJECT = 100


def tell(
    topic_arn: str, run_id: str, status: str, report: str, headline: str, input_uri: str = ""
) -> None:
    """Publish the end of a run: its status, its report's URI ("" without one) and one sentence.

    `input_uri`: the file that was asked about, where the run did not even begin.
    A run's end stays what it is when the topic cannot be reached: that is logged, and not raised.
    """
    message = {"run_id": run_id, "status": status, "report": report, "headline": headline}
    message |= {"input": input_uri} if input_uri else {}
    try:
        boto3.client("sns").publish(
            TopicArn=topic_arn,
            Subject=f"Nova Judge: {run_id} {status}"[:_LONGEST_SUBJECT],
            Message=json.dumps(message, indent=2),
        )
    except (BotoCoreError, ClientError):
        logger.exception("nobody was told", run_id=run_id, status=status)
