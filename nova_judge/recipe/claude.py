"""The sampling settings that a Claude model on Bedrock takes, by its id.

AWS's documentation does not say; public threads do: both at once are refused from 4.1 on
(https://github.com/open-webui/pipelines/pull/546,
https://github.com/aws-samples/bedrock-access-gateway/issues/191), either from 4.7 on
(https://github.com/promptfoo/promptfoo/issues/10307).
"""

import re

__all__ = ["sampling_problem"]

_VERSION = re.compile(r"anthropic\.claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2})(?!\d))?")
ONE_OF_TWO_SINCE = (4, 1)
NEITHER_SINCE = (4, 7)


def sampling_problem(model: str, temperature: float | None, top_p: float | None) -> str | None:
    """The reason why every call would be refused, and what to write instead; None without one.

    `model` is an id, an inference profile or an ARN of either.

    >>> sampling_problem("us.anthropic.claude-sonnet-4-6", temperature=0.0, top_p=None) is None
    True
    >>> sampling_problem("us.anthropic.claude-sonnet-4-6", temperature=0.5, top_p=0.9) is None
    False
    """
    given = [value for value in (temperature, top_p) if value is not None]
    version = _version(model)
    if given and version >= NEITHER_SINCE:
        return (
            f"{model} takes neither temperature nor top_p: write temperature: null and leave "
            "top_p out"
        )
    if len(given) == 2 and version >= ONE_OF_TWO_SINCE:
        return f"{model} takes temperature or top_p, not both: write top_p: null"
    return None


def _version(model: str) -> tuple[int, int]:
    parts = _VERSION.search(model)
    return (int(parts[1]), int(parts[2] or 0)) if parts else (0, 0)
