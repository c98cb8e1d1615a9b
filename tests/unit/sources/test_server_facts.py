"""Servers say what they have before anything is paid for; a name that is near is named."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nova_judge.check import NotRead
from nova_judge.preflight.endpoint_check import server_check
from nova_judge.sources.http_calls import ServerFacts, server_facts
from tests.made.serving import serving

LISTED = {"data": [{"id": "llama3.2:latest"}, {"id": "qwen3-8b", "aliases": ["qwen"]}]}


@contextmanager
def server(models=LISTED, status=200, takes=404, key=None):
    """A server that lists its models, and answers `takes` for those that it does not list."""

    class Handler(BaseHTTPRequestHandler):
        def _say(self, status, content):
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self):
            right = key is None or self.headers["authorization"] == f"Bearer {key}"
            known = self.path == "/v1/models"
            body = models if isinstance(models, bytes) else json.dumps(models).encode()
            self._say(status if right and known else 401, body)

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self._say(takes, b"{}")

        def log_message(self, *_):
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as http:
        yield f"http://127.0.0.1:{http.server_port}/v1"


@pytest.mark.parametrize("model", ["qwen3-8b", "qwen", "llama3.2", "llama3.2:latest"])
def test_a_model_that_is_listed_passes(model):
    with server() as url:
        facts = server_facts(url, model, None)
        check = server_check(url, model, facts)
    assert check == (f"{model} at {url}", "pass", "the server lists it", "")


def test_a_model_that_the_server_does_not_have_is_refused_with_what_is_near():
    with server() as url:
        check = server_check(url, "qwen3-8B", server_facts(url, "qwen3-8B", None))
    assert check.status == "fail"
    assert check.finding == (
        "the server has no such model; it has llama3.2:latest, qwen3-8b, qwen. "
        "Did you mean 'qwen3-8b'?"
    )
    assert check.advice == "name one of these behind the # of its address"


def test_a_model_that_answers_without_being_listed_is_only_warned_of():
    with server(takes=200) as url:
        check = server_check(url, "any", server_facts(url, "any", None))
    assert check[1:3] == ("warn", "the server answers it, and does not list it")


def test_a_server_that_lists_nothing_is_not_judged():
    for listing in ({"models": []}, b"<html>"):
        with server(listing) as url:
            assert isinstance(server_facts(url, "m", None), NotRead)
    with server(status=404) as url:
        facts = server_facts(url, "m", None)
        assert facts == NotRead(f"{url} does not list its models (404)")
        assert server_check(url, "m", facts).status == "not run"


def test_a_server_without_models_is_refused():
    with server({"data": []}) as url:
        check = server_check(url, "m", server_facts(url, "m", None))
    assert check[1:] == ("fail", "the server has no models", "load one there")


@pytest.mark.parametrize(
    ("key", "trouble"), [(None, "it asks for a key (401)"), ("old", "it refuses the key (401)")]
)
def test_a_key_that_is_missing_or_wrong_is_refused(key, trouble):
    with server(key="right") as url:
        assert server_facts(url, "qwen", key) == ServerFacts(trouble=trouble)
        assert server_facts(url, "qwen", "right").listed


def test_a_server_that_is_not_there_is_refused():
    with server() as url:
        pass
    check = server_check(url, "m", server_facts(url, "m", None))
    assert check.status == "fail"
    assert check.finding.startswith("it cannot be reached: ")
