"""A server's replies, and what goes wrong on the way, in our words."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nova_judge.answers.retries import CUT_SHORT, TIMED_OUT, CallFailed, Outlook
from nova_judge.recipe.recipe import Generation
from nova_judge.sources import http_calls
from nova_judge.sources.http_calls import ServerPort
from nova_judge.sources.request_forms import ChatForm
from tests.made.serving import serving


def reply(text="Hi.", finish="stop"):
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    return json.dumps({"choices": [{"message": message, "finish_reason": finish}], "usage": usage})


@contextmanager
def server(answer):
    """`answer(request, headers)` gives status, body and the length that is announced."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.path, body, dict(self.headers)))
            status, text, length = (*answer(body), None)[:3]
            self.send_response(status)
            self.send_header("content-length", str(length or len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as http:
        yield f"http://127.0.0.1:{http.server_port}/v1", asked


def port(url, key=None, timeout=2.0, **how):
    form = ChatForm("org/m", Generation(**how))
    return ServerPort(url, form, key, threads=2, timeout_s=timeout)


def test_a_server_that_takes_no_connections_for_long_is_gone(monkeypatch):
    clock = iter([10.0, 12.0, 15.0])
    monkeypatch.setattr(http_calls, "monotonic", lambda: next(clock))
    form = ChatForm("org/m", Generation())
    asked = ServerPort("http://127.0.0.1:9/v1", form, None, threads=2, timeout_s=2, gone_after_s=5)
    outlooks = []
    for _ in range(3):
        with pytest.raises(CallFailed) as caught:
            asked.ask("Hello")
        outlooks.append((caught.value.failure.reason, caught.value.failure.outlook))
    broken = ("connection broken", Outlook.PASSING)
    assert outlooks == [broken, broken, ("nobody takes connections", Outlook.GONE)]


def failure(url, **how):
    with pytest.raises(CallFailed) as caught:
        port(url, **how).ask("Hello")
    return caught.value.failure


def test_an_answer_with_its_tokens_and_the_key_in_the_header():
    with server(lambda body: (200, reply())) as (url, asked):
        answer = port(url, key="k").ask("Hello")
    assert (answer.text, answer.input_tokens, answer.output_tokens) == ("Hi.", 3, 2)
    (path, body, headers) = asked[0]
    assert path == "/v1/chat/completions"
    assert (body["model"], body["messages"][-1]) == ("org/m", {"role": "user", "content": "Hello"})
    assert {name.lower(): value for name, value in headers.items()}["authorization"] == "Bearer k"


def test_a_model_that_renames_max_tokens_is_asked_so_from_then_on():
    def answer(body):
        if "max_tokens" in body:
            return 400, "use max_completion_tokens in place of max_tokens"
        return 200, reply()

    with server(answer) as (url, asked):
        model = port(url, max_tokens=9)
        assert [model.ask("a").text, model.ask("b").text] == ["Hi.", "Hi."]
    assert [body.get("max_completion_tokens") for _, body, _ in asked] == [None, 9, 9]


@pytest.mark.parametrize(
    ("answer", "outlook", "words"),
    [
        ((429, "slow down"), Outlook.THROTTLED, "429"),
        ((500, "oh"), Outlook.PASSING, "500"),
        ((401, "no key"), Outlook.SHUT, "401"),
        ((404, "no such model"), Outlook.SHUT, "404"),
        ((400, "temperature is not supported"), Outlook.REFUSED, "400"),
        ((200, "[]"), Outlook.REFUSED, "reply in another form"),
        ((200, reply("", "length")), Outlook.REFUSED, "no answer within max_tokens"),
        ((200, reply("x", "SAFETY")), Outlook.REFUSED, "withheld"),
        ((200, '{"choices": [{"mess'), Outlook.PASSING, "answer cut short"),
    ],
)
def test_what_a_server_says_instead_of_an_answer(answer, outlook, words):
    with server(lambda body: answer) as (url, _):
        failed = failure(url)
    assert (failed.outlook, words in failed.reason) == (outlook, True), failed


def test_a_body_that_ends_before_its_announced_length_is_asked_for_again():
    with server(lambda body: (200, reply(), 5000)) as (url, _):
        assert failure(url) == CUT_SHORT


def test_a_server_that_does_not_answer_in_time():
    wait = threading.Event()
    with server(lambda body: ((wait.wait(1) and 200) or 200, reply())) as (url, _):
        assert failure(url, timeout=0.2) == TIMED_OUT
        wait.set()


def test_nobody_listens():
    assert failure("http://127.0.0.1:9/v1").reason == "connection broken"
