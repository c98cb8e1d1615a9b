"""What a Claude model on Bedrock takes, told from its id."""

import re

_VERSION = re.compile(r"anthropic\.claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2})(?!\d))?")
ONE_OF_TWO_SINCE = (4, 1)
"""Reported in public threads (https://github.com/open-webui/pipelines/pull/546 and
https://github.com/aws-samples/bedrock-access-gateway/issues/191), not in AWS's documentation."""


def takes_temperature_or_top_p(model: str) -> bool:
    """Whether a request with both is refused: Claude from 4.1 on, by its id, profile or ARN."""
    found = _VERSION.search(model)
    return found is not None and (int(found[1]), int(found[2] or 0)) >= ONE_OF_TWO_SINCE
