"""Errors that AWS services answer with: their codes, and which of them may pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from botocore.exceptions import BotoCoreError, ClientError

CONDITION_FAILED = "ConditionalCheckFailedException"
_ANY = ("",)
_NOT_FOUND = "Could not find"


def code_of(error: ClientError) -> str:
    """The error's code, such as `ThrottlingException`; "" where the answer has none."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def passing(*codes: str, saying: Sequence[str] = _ANY) -> Iterator[None]:
    """End the block at an error of one of these codes that says one of these words; any will do
    where none is named. What was asked for is so already, then, or is not there.
    """
    try:
        yield
    except ClientError as error:
        expected = not codes or code_of(error) in codes
        if not (expected and any(words in str(error) for words in saying)):
            raise


@contextmanager
def refused_as(ours: Callable[[Exception], Exception]) -> Iterator[None]:
    """Raise what AWS refuses, or that it cannot be asked, as an error of ours."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise ours(error) from error


def passing_absent() -> AbstractContextManager[None]:
    """End the block where SageMaker says that there is nothing of that name."""
    return passing("ValidationException", saying=(_NOT_FOUND,))


def is_absent(error: ClientError) -> bool:
    """True where SageMaker says that there is nothing of that name."""
    return code_of(error) == "ValidationException" and _NOT_FOUND in str(error)
