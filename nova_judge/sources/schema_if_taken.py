"""A model asked by a JSON schema for as long as it takes one."""

import re

from nova_judge.answers.answers import Answer, Port
from nova_judge.answers.retries import CallFailed, CallFailure, Outlook

_OF_THE_SCHEMA = re.compile(
    r"schema|response_?format|output_?config|text_?format|structured|grammar|guided", re.IGNORECASE
)


class SchemaIfTaken:
    """`answers.Port` that asks `plainly` from the first refusal of the schema on."""

    def __init__(self, by_schema: Port, plainly: Port) -> None:
        self._by_schema = by_schema
        self._plainly = plainly
        self._taken = True

    def ask(self, prompt: str) -> Answer:
        """One answer; raises `CallFailed`."""
        if self._taken:
            try:
                return self._by_schema.ask(prompt)
            except CallFailed as error:
                if not _speaks_of_schema(error.failure):
                    raise
            self._taken = False
        return self._plainly.ask(prompt)


def _speaks_of_schema(failure: CallFailure) -> bool:
    return failure.outlook is Outlook.REFUSED and bool(_OF_THE_SCHEMA.search(failure.detail))
