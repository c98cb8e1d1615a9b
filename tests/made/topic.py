"""The topic that hears of reports and failures, in a mocked account."""

import json

from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends


def notified() -> list[dict]:
    """What was published to the only topic."""
    (topic,) = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].topics.values()
    return [json.loads(message) for _, message, *_ in topic.sent_notifications]
