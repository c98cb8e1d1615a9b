"""A schema that a model refuses is left out from then on; other refusals are the caller's."""

import botocore.session
import msgspec
import pytest
from botocore.validate import ParamValidator

from nova_judge.answers.answers import Answer, model_name
from nova_judge.answers.converse import converse_request
from nova_judge.answers.retries import CallFailed, by_status
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.request_forms import ChatForm
from nova_judge.sources.schema_if_taken import SchemaIfTaken

SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


class Model:
    def __init__(self, refusal: str | None = None, status: int = 400) -> None:
        self.calls = 0
        self._refusal, self._status = refusal, status

    def ask(self, prompt: str) -> Answer:
        self.calls += 1
        if self._refusal:
            raise CallFailed(by_status(self._status, detail=self._refusal))
        return Answer(prompt.upper())


@pytest.mark.parametrize(
    "refusal",
    [
        "response_format is not supported by this model",
        "Unknown parameter in input: outputConfig",
        "This model does not support structured outputs",
    ],
)
def test_a_refused_schema_costs_one_call(refusal):
    by_schema, plainly = Model(refusal), Model()
    port = SchemaIfTaken(by_schema, plainly)
    assert [port.ask("a").text, port.ask("b").text] == ["A", "B"]
    assert (by_schema.calls, plainly.calls) == (1, 2)


@pytest.mark.parametrize(("refusal", "status"), [("prompt is too long", 400), ("schema", 503)])
def test_other_failures_pass(refusal, status):
    plainly = Model()
    with pytest.raises(CallFailed):
        SchemaIfTaken(Model(refusal, status), plainly).ask("a")
    assert plainly.calls == 0


def test_the_schema_stands_in_requests_as_the_services_document_it():
    how = Generation(json_schema=SCHEMA)
    chat = msgspec.to_builtins(ChatForm("m", how).request("q"))
    assert chat["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA},
    }
    assert "response_format" not in msgspec.to_builtins(ChatForm("m", Generation()).request("q"))
    request = msgspec.to_builtins(converse_request("m", how).to("q"))
    request["modelId"] = "amazon.nova-pro-v1:0"
    shape = botocore.session.get_session().get_service_model("bedrock-runtime")
    report = ParamValidator().validate(request, shape.operation_model("Converse").input_shape)
    assert not report.has_errors(), report.generate_report()
    assert request["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["name"] == "reply"


def test_answers_by_a_schema_are_kept_apart():
    assert model_name("m", Generation()) != model_name("m", Generation(json_schema=SCHEMA))
