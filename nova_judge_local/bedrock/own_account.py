"""Bedrock models that really answer in local mode: calls with the credentials of whoever runs it.

The emulated account has none of them. The command's own process, which has, answers its Converse
calls for the models that were named, on loopback and under a token.
"""

import datetime
import json
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from nova_judge.answers.kept_texts import KeptTexts
from nova_judge.aws import account
from nova_judge.aws.model_ports import config
from nova_judge.aws.models import model_facts
from nova_judge.check import NotRead
from nova_judge.errors import LocalModeError
from nova_judge.preflight.model_check import model_check
from nova_judge_local.emulator_settings import LOOPBACK, OwnBedrock
from nova_judge_local.sagemaker.api import ApiError, Parameters

THREADS = 32
CALL_S = 600.0
KEPT = "bedrock.jsonl"


def check_models(models: Sequence[str]) -> list[str]:
    """Ask Bedrock for each model; words of those that it does not tell about.

    Raises LocalModeError for one that cannot be called, with the names that are near.
    """
    notes = []
    for name in models:
        client = _client("bedrock")
        facts = account.read(model_facts, client, name)
        offered = account.offered({name: facts})
        now, region = datetime.datetime.now(datetime.UTC), client.meta.region_name
        check = model_check(name, facts, now, offered, region)
        if check.status == "fail":
            raise LocalModeError(f"{check.name}: {check.finding}: {check.advice}")
        if isinstance(facts, NotRead):
            notes.append(f"{name}: Bedrock does not tell of it ({facts.reason}). Going on.")
    return notes


@contextmanager
def answering(models: Sequence[str], kept: str | None) -> Iterator[OwnBedrock | None]:
    """Answer for these models until the block ends; `kept`: the folder of answers by content."""
    if not models:
        yield None
        return
    texts = KeptTexts(Path(kept, KEPT)) if kept else None
    token = secrets.token_urlsafe(32)
    handler = _handler(token, frozenset(models), _Converse(texts))
    with _Server((LOOPBACK, 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            url = f"http://{LOOPBACK}:{http.server_port}"
            yield OwnBedrock(url=url, token=token, models=tuple(models))
        finally:
            http.shutdown()
            thread.join()


def forwarded(own: OwnBedrock, model: str, request: Parameters) -> Parameters:
    """The answer of a model that answers itself; raises ApiError as Bedrock refuses."""
    body = {"model": model, "request": request}
    reply = urllib3.request(
        "POST",
        own.url,
        json=body,
        headers={"authorization": f"Bearer {own.token}"},
        timeout=urllib3.Timeout(connect=5.0, read=CALL_S),
        retries=False,
    )
    answer: Parameters = json.loads(reply.data)
    if reply.status != HTTPStatus.OK:
        raise ApiError(answer["code"], answer["message"], reply.status)
    return answer


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


class _Converse:
    """Converse, as the environment's credentials allow it; what was answered once is kept."""

    def __init__(self, kept: KeptTexts | None) -> None:
        self._kept = kept
        self._runtime = _client("bedrock-runtime")

    def __call__(self, model: str, request: Parameters) -> Parameters:
        content = json.dumps([model, request], sort_keys=True)
        if self._kept is not None and (text := self._kept.find(content)) is not None:
            known: Parameters = json.loads(text)
            return known
        answer: Parameters = self._runtime.converse(modelId=model, **request)
        answer.pop("ResponseMetadata", None)
        if self._kept is not None:
            self._kept.keep(content, json.dumps(answer))
        return answer


def _handler(
    token: str, models: frozenset[str], converse: _Converse
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            given = self.headers.get("authorization", "").encode()
            if not secrets.compare_digest(given, f"Bearer {token}".encode()):
                self.close_connection = True  # what it sends is not read
                self._say(403, {"code": "AccessDeniedException", "message": "another process"})
                return
            asked = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
            if asked["model"] not in models:
                self._say(403, {"code": "AccessDeniedException", "message": "another model"})
                return
            self._say(*_answered(converse, asked["model"], asked["request"]))

        def _say(self, status: int, answer: Parameters) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _answered(converse: _Converse, model: str, request: Parameters) -> tuple[int, Parameters]:
    try:
        return 200, converse(model, request)
    except ClientError as error:
        refusal = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        return status, {
            "code": refusal.get("Code", "InternalServerException"),
            "message": refusal.get("Message", str(error)),
        }
    except BotoCoreError as error:  # no credentials, no network
        return 503, {"code": "ServiceUnavailableException", "message": str(error)}


def _client(service: str) -> Any:  # noqa: ANN401 - stubs for two services
    make: Any = boto3.client
    try:
        return make(service, config=config(THREADS, CALL_S))
    except BotoCoreError as error:
        raise LocalModeError(
            f"Bedrock cannot be called: {error} Set AWS_PROFILE and AWS_REGION, or name another "
            "candidate."
        ) from error
