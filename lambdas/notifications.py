"""Tell the world of a run: the topic's subscribers, the index, and the account's event bus."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.observability import logger
from nova_judge.aws import aws_clients
from nova_judge.findings.index_entry import IndexEntry
from nova_judge.findings.run_events import entries_of
from nova_judge.steps.run_index import write_entry

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
        aws_clients.sns().publish(
            TopicArn=topic_arn,
            Subject=f"Nova Judge: {run_id} {status}"[:_LONGEST_SUBJECT],
            Message=json.dumps(message, indent=2),
        )
    except (BotoCoreError, ClientError):
        logger.exception("the topic was not notified", run_id=run_id, status=status)


def record(stage: str, bucket: str, entry: IndexEntry, *, news: bool = True) -> None:
    """Write a run's headline into the index, and put an event on the bus if it is `news`.

    Like `tell`, it changes nothing about a run: what cannot be written or sent is logged.
    """
    try:
        write_entry(bucket, entry)
        if not news:
            return
        entries: Any = entries_of(stage, entry)
        answer = aws_clients.events().put_events(Entries=entries)
        if answer["FailedEntryCount"]:
            logger.error("no event", run_id=entry.run_id, entries=answer["Entries"])
    except (BotoCoreError, ClientError):
        logger.exception("not in the index, or no event", run_id=entry.run_id)
