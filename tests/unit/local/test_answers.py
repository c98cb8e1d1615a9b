import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from nova_judge.errors import LocalModeError
from nova_judge_local.judges import chat_server as calls
from nova_judge_local.judges.chat_server import check_server, complete, parse_chat_server
from nova_judge_local.judges.model_answers import (
    Answers,
    CompletionRequest,
    ModelUnderTest,
    RecordedAnswers,
    answer_files,
    answers_from,
    forwarded_answer,
)
from nova_judge_local.sagemaker.api import ApiError
from tests.made.serving import serving

MODEL = "Qwen/Qwen2.5-1.5B-Instruct"


@pytest.fixture
def recorded(tmp_path):
    file = tmp_path / "answers.jsonl"
    lines = [
        {"model": MODEL, "prompt": "2 + 2?", "response": "4"},
        {"model": "us.anthropic.claude-sonnet-4-6", "prompt": "2 + 2?", "response": "four"},
    ]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return answers_from([str(file)], None, tmp_path)


def _chat(prompt, **more):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}]
    return json.dumps({"messages": messages, "max_tokens": 9, **more}).encode()


def test_a_chat_container_answers_in_openais_form(recorded):
    answer = json.loads(recorded.invocation(MODEL, "endpoint", _chat("2 + 2?", model="served")))

    assert answer["choices"][0]["message"]["content"] == "4"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] == 1


def test_a_text_generation_container_answers_in_its_own_form(recorded):
    body = json.dumps({"inputs": "2 + 2?", "parameters": {"max_new_tokens": 9}}).encode()

    assert json.loads(recorded.invocation(MODEL, "e", body)) == [{"generated_text": "4"}]


def test_converse_answers_for_a_profiles_arn_too(recorded):
    request = {"messages": [{"role": "user", "content": [{"text": "2 + 2?"}]}], "system": []}
    profile = (
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6"
    )

    for model in ("us.anthropic.claude-sonnet-4-6", profile):
        answer = recorded.converse(model, request)
        assert answer["output"]["message"]["content"] == [{"text": "four"}]
        assert answer["stopReason"] == "end_turn"


def test_the_endpoints_own_name_finds_recorded_answers(recorded):
    assert recorded.invocation("unknown", "qwen2.5-1.5b-instruct", _chat("2 + 2?"))


def test_a_prompt_that_was_not_recorded_gets_an_error_and_no_answer(recorded, tmp_path):
    with pytest.raises(ApiError, match=r"No answer of .* is recorded .*2 \+ 3") as told:
        recorded.invocation(MODEL, "e", _chat("2 + 3?"))

    assert (told.value.code, told.value.status) == ("ValidationError", 400)
    assert "2 + 3?" in (tmp_path / "refused").read_text("utf-8")
    assert not (tmp_path / "answered").exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"messages": []}', b"{", b"\xff"])
def test_a_body_that_is_no_request_is_refused(recorded, body):
    with pytest.raises(ApiError):
        recorded.invocation(MODEL, "e", body)


def test_a_broken_line_is_named_with_its_file(tmp_path):
    file = tmp_path / "answers.jsonl"
    file.write_text('{"model": "m", "prompt": "p", "response": "r"}\n{"model": "m"}\n', "utf-8")

    with pytest.raises(LocalModeError, match=r"answers\.jsonl, line 2"):
        RecordedAnswers([file])
    with pytest.raises(LocalModeError, match=r"answers\.jsonl, line 2"):
        ModelUnderTest((file,)).answers("m", [("p", "p")])


@pytest.mark.parametrize(
    ("recorded_as", "asked_for"),
    [
        (MODEL, MODEL.lower()),
        (MODEL, "qwen2.5-1.5b-instruct"),
        ("qwen2.5-1.5b-instruct", MODEL),
        ("nova-micro/prod", "nova-micro/prod"),
        ("s3://mine/nova/checkpoints/", "s3://mine/nova/checkpoints"),
    ],
)
def test_a_model_goes_by_its_whole_name_or_the_last_part_of_it(tmp_path, recorded_as, asked_for):
    file = tmp_path / "answers.jsonl"
    file.write_text(json.dumps({"model": recorded_as, "prompt": "p", "response": "r"}), "utf-8")

    assert RecordedAnswers([file]).answer([asked_for], "p") == "r"
    assert ModelUnderTest((file,)).answers(asked_for, [("p", "with options")]) == ["r"]


@pytest.mark.parametrize("asked_for", ["nova-lite/prod", "Other/qwen2.5-1.5b-instruct"])
def test_no_model_gets_the_answers_of_another_one(tmp_path, asked_for):
    file = tmp_path / "answers.jsonl"
    lines = [{"model": m, "prompt": "p", "response": "r"} for m in (MODEL, "nova-micro/prod")]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")

    for ask in (
        lambda: RecordedAnswers([file]).answer([asked_for], "p"),
        lambda: ModelUnderTest((file,)).answers(asked_for, [("p", "p")]),
    ):
        with pytest.raises(LocalModeError, match=f"No answer of {asked_for} is recorded"):
            ask()


def test_answers_may_be_a_file_or_a_folder(tmp_path):
    for name in ("a.jsonl", "b.jsonl", "notes.txt"):
        (tmp_path / name).touch()

    assert len(answer_files(tmp_path)) == 2
    assert answer_files(tmp_path / "a.jsonl") == (str(tmp_path / "a.jsonl"),)
    with pytest.raises(LocalModeError, match="neither a file"):
        answer_files(tmp_path / "none")


class _Server(BaseHTTPRequestHandler):
    replies: Iterator[tuple[int, bytes]]
    asked: list[dict]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append({"path": self.path, "headers": dict(self.headers), **json.loads(body)})
        status, reply = next(self.replies)
        if not status:
            self.close_connection = True  # as a server does that has no room for one more
            return
        self.send_response(status)
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *args):
        """Keep the tests' output quiet."""


@pytest.fixture
def chat_server():
    """Starts a server that gives these replies in turn; yields its URL and what it was asked."""
    with ExitStack() as running:

        def start(*replies):
            handler = type("Handler", (_Server,), {"replies": iter(replies), "asked": []})
            server = serving(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            port = running.enter_context(server).server_port
            return f"http://127.0.0.1:{port}/v1", handler.asked

        yield start


def _reply(text, finish="stop"):
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": 11, "completion_tokens": 3}
    return 200, json.dumps({"choices": [choice], "usage": usage}).encode()


def test_a_server_of_the_users_answers_with_the_settings_of_the_request(chat_server):
    url, asked = chat_server(_reply("forwarded", "length"))
    answers = Answers(partial(forwarded_answer, parse_chat_server(f"{url}#llama", "secret")))

    answer = json.loads(answers.invocation(MODEL, "e", _chat("hello", temperature=0.5)))

    assert answer["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "forwarded"},
        "finish_reason": "length",
    }
    assert asked[0]["path"] == "/v1/chat/completions"
    assert asked[0]["model"] == "llama"
    assert (asked[0]["max_tokens"], asked[0]["temperature"]) == (9, 0.5)
    assert asked[0]["headers"]["authorization"] == "Bearer secret"


def test_a_busy_server_is_asked_again(chat_server):
    url, asked = chat_server((503, b""), _reply("at last"))

    done = complete(parse_chat_server(url), "m", [{"role": "user", "content": "hello"}], {})

    assert (done.text, len(asked)) == ("at last", 2)


def test_a_server_that_drops_the_connection_is_asked_again(chat_server, monkeypatch):
    quick = calls._RETRY.new(backoff_factor=0.01, backoff_jitter=0.01)
    monkeypatch.setattr(calls, "_RETRY", quick)
    dropped = (0, b"")
    url, asked = chat_server(dropped, dropped, dropped, _reply("forwarded"))
    done = complete(parse_chat_server(f"{url}#m"), "", [{"role": "user", "content": "?"}], {})
    assert (done.text, len(asked)) == ("forwarded", 4)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ((401, b'{"error": "no key"}'), "answered 401: .*no key.*OPENAI_API_KEY"),
        ((404, b"no such model"), "answered 404: no such model .*/v1"),
        ((200, b"<html>"), "did not answer in OpenAI's form.*/v1"),
        ((200, b'{"choices": []}'), "did not answer in OpenAI's form"),
    ],
)
def test_what_a_server_does_wrong_is_told(chat_server, reply, says):
    url, _ = chat_server(reply)

    with pytest.raises(LocalModeError, match=says):
        complete(parse_chat_server(url), "m", [{"role": "user", "content": "hello"}], {})


def test_a_model_that_wants_other_settings_is_asked_as_it_wants(chat_server):
    refused = b'{"error": "Unsupported parameter: use max_completion_tokens"}'
    url, asked = chat_server((400, refused), _reply("yes"))

    done = complete(
        parse_chat_server(url), "m", [{"role": "user", "content": "x"}], {"max_tokens": 9}
    )

    assert done.text == "yes"
    assert "max_tokens" not in asked[1]
    assert asked[1]["max_completion_tokens"] == 9


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ((401, b"no"), "OPENAI_API_KEY"),
        ((404, b"no"), "/v1"),
        ((200, b"<html>"), "/v1"),
        ((200, b"{}"), "OpenAI's form"),
    ],
)
def test_one_request_first_says_what_is_wrong(chat_server, reply, says):
    url, asked = chat_server(reply)
    with pytest.raises(LocalModeError, match=says):
        check_server(parse_chat_server(url), "m")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (_reply("yes"), None),
        ((400, b"use max_completion_tokens"), None),
        ((429, b"busy"), "answered 429: it is asked again later. Going on."),
        ((503, b"loading"), "answered 503: it is asked again later. Going on."),
    ],
)
def test_a_server_that_is_busy_or_particular_passes_the_first_request(chat_server, reply, note):
    url, asked = chat_server(reply)
    assert check_server(parse_chat_server(url), "m") == (note and f"{url} {note}")
    assert len(asked) == 1


def test_a_server_that_takes_a_request_and_says_nothing_is_told_and_not_asked_six_times():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = parse_chat_server(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        note = check_server(server, "m")
        assert note is not None
        assert "has not said one word within 2 s" in note
        begun = time.monotonic()
        with pytest.raises(LocalModeError, match="--timeout"):
            complete(msgspec.structs.replace(server, timeout_s=0.5), "m", [], {})
        assert time.monotonic() - begun < 2.5


def test_what_a_server_refused_travels_inside_the_model_error_as_with_sagemaker(chat_server):
    url, _ = chat_server((400, b"no such setting"))
    asked = CompletionRequest(("m",), "2 + 2?", [{"role": "user", "content": "2 + 2?"}], {})
    with pytest.raises(ApiError, match="no such setting") as refused:
        forwarded_answer(parse_chat_server(url), asked)
    assert (refused.value.status, refused.value.original) == (424, 400)


def test_a_candidates_refusal_of_one_request_is_left_to_the_run(chat_server):
    refusal = (400, b"this model wants a longer prompt")
    url, asked = chat_server(refusal, refusal)
    check_server(parse_chat_server(url), "m", refusals_pass=True)
    with pytest.raises(LocalModeError, match="a longer prompt"):
        check_server(parse_chat_server(url), "m")
    assert len(asked) == 2


def test_a_server_that_is_not_there_is_told_at_once():
    with pytest.raises(LocalModeError, match="Is the server up"):
        check_server(parse_chat_server("http://127.0.0.1:9/v1"), "m")


def test_a_question_that_the_model_does_not_answer_costs_itself_only(chat_server):
    url, asked = chat_server((400, b"maximum context length"), _reply("yes"), _reply("yes"))
    model = ModelUnderTest(server=parse_chat_server(url))
    answers = model.answers("m", [("q", "q")] * 3)
    assert len(asked) == 3
    assert sorted(answer for answer in answers if isinstance(answer, str)) == ["yes", "yes"]
    (failure,) = (answer for answer in answers if not isinstance(answer, str))
    assert "maximum context length" in failure.reason


def test_a_model_that_answers_nothing_fails_the_job(chat_server):
    url, _ = chat_server((401, b"no"), (401, b"no"))
    with pytest.raises(LocalModeError, match="OPENAI_API_KEY"):
        ModelUnderTest(server=parse_chat_server(url)).answers("m", [("q", "q")] * 2)


def test_recorded_answers_may_be_a_table(tmp_path):
    file = tmp_path / "answers.csv"
    file.write_text('model,prompt,response\nm,"one, two",r\n', "utf-8")

    assert RecordedAnswers([file]).answer(["m"], "one, two") == "r"


def test_a_folder_of_recorded_answers_may_hold_every_form(tmp_path):
    rows = [{"model": "m", "prompt": "a", "response": "1"}]
    (tmp_path / "a.jsonl").write_text(json.dumps(rows[0]))
    (tmp_path / "b.json").write_text(json.dumps([{**rows[0], "prompt": "b"}]))
    (tmp_path / "c.csv").write_text("model,prompt,response\nm,c,3\n")
    with gzip.open(tmp_path / "d.jsonl.gz", "wt") as file:
        file.write(json.dumps({**rows[0], "prompt": "d"}))
    (tmp_path / "README.md").write_text("not answers")
    recorded = RecordedAnswers(map(Path, answer_files(tmp_path)))
    assert [recorded.answer(["m"], prompt) for prompt in "abcd"] == ["1", "1", "3", "1"]
