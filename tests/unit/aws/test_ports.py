"""What the ports send is what the servers expect; what goes wrong is told in our words."""

import io
import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import boto3
import msgspec
import pytest
from botocore.exceptions import ParamValidationError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from nova_judge.answers.answer_store import AnswerJournal, ShardPlace
from nova_judge.answers.answers import Answer, lasting
from nova_judge.answers.converse import answer_of, converse_request
from nova_judge.answers.generate import generate
from nova_judge.answers.lane import AnswerSource
from nova_judge.answers.prompts import Prompt, prompt_name
from nova_judge.answers.retries import TIMED_OUT, CallFailed, Outlook, RetryPolicy
from nova_judge.aws.model_ports import MOST_REQUEST_BYTES, ConversePort, EndpointPort, config
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.request_forms import ChatForm, PlainForm, form_of
from tests.made.folder_objects import FolderObjects

ENDPOINT = Path(__file__).parents[3] / "benchmarks" / "loopback_endpoint.py"
SETTINGS = Generation(max_tokens=9, temperature=0.5, stop=("END",), system="Be brief.", seed=3)
FAULTS = [429, 424, 503, 530, "hang", "break", "cut"]


def runtime(service="sagemaker-runtime", url=None, timeout=0.2):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=config(64, timeout),
    )


@contextmanager
def loopback(**behaviour):
    """The benchmark's endpoint: real connections, real faults."""
    command = [sys.executable, str(ENDPOINT), json.dumps(behaviour)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def port(url):
    return EndpointPort(runtime(url=url), "e", ChatForm("m", Generation()))


@pytest.mark.parametrize(
    ("fault", "reason", "outlook"),
    [
        (429, "429 ThrottlingException", Outlook.THROTTLED),
        (424, "424 ModelError", Outlook.PASSING),
        (503, "503 ServiceUnavailable", Outlook.THROTTLED),
        (530, "530 InternalDependencyException", Outlook.PASSING),
        (400, "400 ValidationError", Outlook.REFUSED),
        ("hang", "timed out", Outlook.THROTTLED),
        ("break", "connection broken", Outlook.PASSING),
        ("cut", "answer cut short", Outlook.PASSING),
    ],
)
def test_every_fault_of_a_real_connection_is_told_in_our_words(fault, reason, outlook):
    with loopback(failing=1.0, faults=[fault]) as url, pytest.raises(CallFailed) as failed:
        port(url).ask("hello")
    assert (failed.value.failure.reason, failed.value.failure.outlook) == (reason, outlook)


def test_a_server_that_is_not_there_is_a_broken_connection():
    with pytest.raises(CallFailed, match="connection broken"):
        port("http://127.0.0.1:9").ask("hello")


@pytest.mark.slow
@pytest.mark.parametrize("failing", [0.0, 0.5, 0.9])
def test_over_real_connections_no_row_is_lost_however_many_calls_fail(tmp_path, failing):
    prompts = [f"question {n}" for n in range(40)]
    policy = RetryPolicy(300, 120, 0.001, 0.01)
    with loopback(latency_s=0.005, failing=failing, faults=FAULTS, hang_s=0.3) as url:
        journal = AnswerJournal(FolderObjects(tmp_path), "m", ShardPlace("run", 0))
        source = AnswerSource(port(url), journal, policy, call_timeout_s=1)
        generated = generate({"A": prompts}, {"A": source})
        with urlopen(f"{url}/counters") as reply:  # noqa: S310 - loopback
            counters = msgspec.json.decode(reply.read())
    assert all(isinstance(row, Answer) for row in generated.outcomes["A"])
    assert set(counters["answered"].values()) == {1}


def test_the_chat_form_says_what_the_settings_say():
    assert msgspec.to_builtins(ChatForm("Qwen/Qwen2.5", SETTINGS).request("Hi")) == {
        "model": "Qwen/Qwen2.5",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
        "max_tokens": 9,
        "temperature": 0.5,
        "stop": ["END"],
        "seed": 3,
    }


def test_the_plain_form_switches_sampling_off_where_the_temperature_is_zero():
    request = msgspec.to_builtins(PlainForm(Generation(temperature=0, top_p=1.0)).request("Hi"))
    assert request["inputs"] == "Hi"
    assert request["parameters"] == {
        "max_new_tokens": 512,
        "do_sample": False,
        "seed": 0,
        "details": True,
        "return_full_text": False,
    }


def test_a_temperature_of_the_model_s_own_is_not_sent():
    settings = Generation(temperature=None)
    assert "temperature" not in msgspec.to_builtins(ChatForm("m", settings).request("Hi"))
    assert (
        not {"temperature", "do_sample"}
        & msgspec.to_builtins(PlainForm(settings).request("Hi"))["parameters"].keys()
    )


def test_the_plain_form_reads_text_and_details():
    details = {"finish_reason": "length", "generated_tokens": 4}
    body = json.dumps([{"generated_text": "Hello", "details": details}])
    answer = form_of("tgi", "m", Generation()).answer(body.encode())
    assert answer == Answer("Hello", output_tokens=4, finish_reason="length")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b'{"choices": [{"message": {"content": "   "}}]}', "empty answer"),
        (b'{"choices": [{"message": {"content": null}}]}', "empty answer"),
        (b'{"choices": [{"message": {}, "finish_reason": "length"}]}', "no answer within max_tok"),
        (
            b'{"choices": [{"message": {"content": "x"}, "finish_reason": "content_filter"}]}',
            "withheld: content_filter",
        ),
        (b'{"choices": []}', "reply in another form"),
        (b'{"detail": "Not Found"}', "reply in another form"),
        (b'{"choices": [{"mess', "answer cut short"),
        (b'{"choices": [{"message": {"content": "\xff"}}]}', "answer cut short"),
        (b"", "answer cut short"),
    ],
)
def test_a_reply_without_an_answer_is_no_answer(reply, reason):
    client = runtime()
    with Stubber(client) as stub, pytest.raises(CallFailed, match=reason):
        body = StreamingBody(io.BytesIO(reply), len(reply))
        stub.add_response("invoke_endpoint", {"Body": body})
        EndpointPort(client, "e", ChatForm("m", Generation())).ask("hello")


@pytest.mark.parametrize(
    ("form", "reply"),
    [
        (ChatForm("m", Generation()), rb'{"choices": [{"message": {"content": "Hi \ud83d"}}]}'),
        (PlainForm(Generation()), rb'[{"generated_text": "Hi \ud83d"}]'),
    ],
)
def test_an_answer_cut_inside_a_character_is_an_answer(form, reply):
    client = runtime()
    with Stubber(client) as stub:
        body = StreamingBody(io.BytesIO(reply), len(reply))
        stub.add_response("invoke_endpoint", {"Body": body})
        assert EndpointPort(client, "e", form).ask("hello").text == "Hi \ufffd"


def test_what_the_model_server_itself_said_counts():
    client = runtime()
    with Stubber(client) as stub, pytest.raises(CallFailed) as failed:
        said = {"OriginalStatusCode": 400, "OriginalMessage": "longer than 8192 tokens"}
        stub.add_client_error(
            "invoke_endpoint", "ModelError", http_status_code=424, modeled_fields=said
        )
        EndpointPort(client, "e", ChatForm("m", Generation())).ask("hello")
    assert failed.value.failure == ("400", Outlook.REFUSED, "longer than 8192 tokens")


@pytest.mark.parametrize("field", ["OriginalMessage", "Message"])
def test_a_container_that_took_too_long_for_sagemaker_has_timed_out(field):
    words = "Your invocation timed out while waiting for a response from container primary. Review"
    said = {"OriginalStatusCode": 0, "OriginalMessage": words if field == "OriginalMessage" else ""}
    client = runtime()
    with Stubber(client) as stub, pytest.raises(CallFailed, match="timed out") as failed:
        stub.add_client_error(
            "invoke_endpoint",
            "ModelError",
            f'Received server error (0) from primary with message "{words}"',
            http_status_code=424,
            modeled_fields=said,
        )
        EndpointPort(client, "e", ChatForm("m", Generation())).ask("hello")
    assert failed.value.failure == TIMED_OUT


def test_a_prompt_over_the_limit_of_sagemaker_is_not_sent():
    with pytest.raises(CallFailed, match="prompt too long"):
        port("http://127.0.0.1:9").ask("x" * MOST_REQUEST_BYTES)


def test_a_fault_of_ours_is_not_taken_for_the_endpoints():
    with pytest.raises(ParamValidationError):
        EndpointPort(runtime(), None, ChatForm("m", Generation())).ask("hello")


def test_the_client_tries_once_and_has_a_connection_for_every_thread():
    settings = runtime().meta.config
    assert settings.retries["total_max_attempts"] == 1
    assert settings.max_pool_connections == 64


def converse(reply, settings=SETTINGS, model="amazon.nova-lite-v1:0"):
    client = runtime("bedrock-runtime")
    with Stubber(client) as stub:
        request = msgspec.to_builtins(converse_request(model, settings).to("Hi"))
        assert request["messages"] == [{"role": "user", "content": [{"text": "Hi"}]}]
        stub.add_response("converse", reply, {"modelId": model, **request})
        return ConversePort(client, model, settings).ask("Hi")


THOUGHT = {"reasoningContent": {"reasoningText": {"text": "hmm"}}}


def reply_of(*blocks, reason="end_turn"):
    return {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": reason,
        "usage": {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12},
        "metrics": {"latencyMs": 1},
    }


def test_converse_answers_with_the_text_blocks_and_the_tokens():
    answer = converse(reply_of(THOUGHT, {"text": "Hel"}, {"text": "lo"}))
    assert answer == Answer("Hello", input_tokens=5, output_tokens=7, finish_reason="end_turn")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (reply_of(), "empty answer"),
        (reply_of({"text": "no"}, reason="guardrail_intervened"), "withheld: guardrail"),
        (reply_of(reason="guardrail_intervened"), "withheld: guardrail_intervened"),
        (reply_of(reason="content_filtered"), "withheld: content_filtered"),
        (reply_of(THOUGHT, reason="max_tokens"), "no answer within max_tokens"),
        (reply_of(reason="max_tokens"), "no answer within max_tokens"),
        (reply_of(THOUGHT), "empty answer"),
        (
            reply_of({"text": "{tool"}, reason="malformed_model_output"),
            "no usable answer: malformed_model_output",
        ),
    ],
)
def test_converse_without_an_answer_of_the_model_is_no_answer(reply, reason):
    with pytest.raises(CallFailed, match=reason):
        converse(reply)


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"output": None},
        {"output": {"message": None}},
        {"output": {"message": {"content": None}}, "usage": None},
        {"output": {"message": {"content": [None, {"text": None}]}}},
        {"output": [], "stopReason": "end_turn"},
        {"output": {"message": {"content": "Paris"}}},
    ],
)
def test_a_record_of_batch_output_with_nothing_in_it_is_no_answer_and_no_fault(reply):
    with pytest.raises(CallFailed, match=r"empty answer|reply in another form"):
        answer_of(reply)


def test_nothing_beside_the_text_is_needed():
    reply = {"output": {"message": {"content": [None, {"text": "Paris"}]}}, "usage": None}
    assert answer_of(reply) == Answer("Paris")


def test_converse_cut_inside_a_character_is_an_answer():
    assert converse(reply_of({"text": "Hi \ud83d"}, reason="max_tokens")).text == "Hi \ufffd"


def test_converse_sends_what_the_settings_say():
    assert msgspec.to_builtins(converse_request("amazon.nova-lite-v1:0", SETTINGS)) == {
        "messages": [],
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "stopSequences": ["END"]},
        "system": [{"text": "Be brief."}],
    }


@pytest.mark.parametrize(
    ("code", "status", "outlook"),
    [
        ("ThrottlingException", 429, Outlook.THROTTLED),
        ("ModelTimeoutException", 408, Outlook.PASSING),
        ("ModelErrorException", 424, Outlook.PASSING),
        ("ModelNotReadyException", 429, Outlook.THROTTLED),
        ("InternalServerException", 500, Outlook.PASSING),
        ("ValidationException", 400, Outlook.REFUSED),
        ("AccessDeniedException", 403, Outlook.SHUT),
        ("ResourceNotFoundException", 404, Outlook.SHUT),
    ],
)
def test_errors_of_bedrock_in_our_words(code, status, outlook):
    client = runtime("bedrock-runtime")
    with Stubber(client) as stub, pytest.raises(CallFailed) as failed:
        stub.add_client_error("converse", code, http_status_code=status)
        ConversePort(client, "amazon.nova-lite-v1:0", Generation()).ask("Hi")
    assert failed.value.failure.outlook is outlook


def test_a_row_s_own_instruction_stands_in_for_the_recipe_s():
    settings = Generation(system="Be brief.")
    prompt = Prompt("Hi", "Answer in French.")
    told = {"role": "system", "content": "Answer in French."}
    assert msgspec.to_builtins(ChatForm("m", settings).request(prompt))["messages"][0] == told
    assert (
        msgspec.to_builtins(ChatForm("m", settings).request("Hi"))["messages"][0]["content"]
        == "Be brief."
    )
    assert (
        msgspec.to_builtins(PlainForm(settings).request(prompt))["inputs"]
        == "Answer in French.\n\nHi"
    )
    (instruction,) = converse_request("m", settings).to(prompt).system
    assert instruction.text == "Answer in French."


def test_the_same_question_under_another_instruction_is_another_prompt():
    french, german = Prompt("Hi", "French."), Prompt("Hi", "German.")
    assert len({french, german, "Hi", Prompt("Hi", "French.")}) == 3
    assert len({prompt_name(prompt) for prompt in (french, german, "Hi")}) == 3


@pytest.mark.parametrize(
    ("trace", "model"),
    [
        (
            {"promptRouter": {"invokedModelId": "us.amazon.nova-lite-v1:0"}},
            "us.amazon.nova-lite-v1:0",
        ),
        ({"guardrail": {}}, None),
        (None, None),
    ],
)
def test_the_model_that_a_router_chose_stands_with_the_answer(trace, model):
    reply = {"output": {"message": {"content": [{"text": "Paris"}]}}, "trace": trace}
    answer = answer_of(reply)
    assert answer.model == model
    assert lasting(answer).model == model
