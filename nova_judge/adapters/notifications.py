"""Who subscribed to the topic hears how a run ended."""

import json

import boto3

_LONGEST_SUBJECT = 100


def tell(topic_arn: str, run_id: str, status: str, report: str, headline: str) -> None:
    """Publish the end of a run: its status, its report's URI ("" without one) and one sentence."""
    message = {"run_id": run_id, "status": status, "report": report, "headline": headline}
    boto3.client("sns").publish(
        TopicArn=topic_arn,
        Subject=f"Nova Judge: {run_id} {status}"[:_LONGEST_SUBJECT],
        Message=json.dumps(message, indent=2),
    )
