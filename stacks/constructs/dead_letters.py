"""Queue of events that could not be delivered: kept two weeks, with an alarm."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct


def dead_letter_queue(scope: Construct, construct_id: str, *, tell: sns.ITopic) -> sqs.Queue:
    """An encrypted queue that takes TLS only; whatever arrives in it raises an alarm."""
    queue = sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=cdk.Duration.days(14),
    )
    waiting = queue.metric_approximate_number_of_messages_visible(
        period=cdk.Duration.minutes(5), statistic="Maximum"
    )
    alarm = waiting.create_alarm(
        scope,
        f"{construct_id}Alarm",
        alarm_description="Nova Judge: an event was not handled; it waits in the queue for 14 days "
        "(docs/troubleshooting.md, Dead letters)",
        threshold=1,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    alarm.add_alarm_action(actions.SnsAction(tell))
    return queue
