"""What an AWS service calls the error that it answered with."""

from botocore.exceptions import ClientError

CONDITION_FAILED = "ConditionalCheckFailedException"


def code_of(error: ClientError) -> str:
    """The error's code, such as `ThrottlingException`; "" where the answer has none."""
    return error.response.get("Error", {}).get("Code", "")
