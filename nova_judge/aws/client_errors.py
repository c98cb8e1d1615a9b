"""Codes that AWS services give the errors that they answer with."""

from botocore.exceptions import ClientError

CONDITION_FAILED = "ConditionalCheckFailedException"


def code_of(error: ClientError) -> str:
    """The error's code, such as `ThrottlingException`; "" where the answer has none."""
    return error.response.get("Error", {}).get("Code", "")
