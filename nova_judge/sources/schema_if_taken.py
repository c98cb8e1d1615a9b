"""A model asked by a JSON schema for as long as it takes one."""

import re

import msgspec

from nova_judge.answers.answers import Answer, Port
from nova_judge.answers.retries import CallFailed, CallFailure, Outlook
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.known_sources import source_of
from nova_judge.sources.source import Ways

_OF_THE_SCHEMA = re.compile(
    r"schema|response_?format|output_?config|text_?format|structured|grammar|guided", re.IGNORECASE
)


def port_by_schema(model: AskedModel, how: Generation, ways: Ways) -> Port:
    """A model as it is asked, by the schema where there is one and for as long as it takes it."""
    source = source_of(model)
    port = source.port(model, how, ways)
    if how.json_schema is None:
        return port
    plain = msgspec.structs.replace(how, json_schema=None)
    return SchemaIfTaken(port, source.port(model, plain, ways))


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
