"""A server on loopback that judges pairs by calls, and pushes back."""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.made.serving import serving
from tests.workflow.conftest import lines

MOST_AT_ONCE = 4


class Judge:
    """Prefers the longer answer; `asked` holds each request that it took."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.pushed_back = 0
        self.takes_schemas = True
        self.in_flight = threading.Semaphore(MOST_AT_ONCE)

    def reply(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if not self.in_flight.acquire(blocking=False):
            self.pushed_back += 1
            return 429, {"error": {"message": "too many requests"}}
        try:
            if "response_format" in request and not self.takes_schemas:
                return 400, {"error": {"message": "response_format is not supported"}}
            self.asked.append(request)
            threading.Event().wait(0.02)
            return 200, completion(_judged(request["messages"][-1]["content"]))
        finally:
            self.in_flight.release()


def _judged(prompt: str) -> str:
    first, second = (
        len(re.findall(rf"<answer_{side}>\n(.*?)\n</answer_{side}>", prompt, re.DOTALL)[0])
        for side in "AB"
    )
    if "<criteria>" in prompt:
        scores = {"justification": "", "score_A": min(5, first), "score_B": min(5, second)}
        return json.dumps({"criteria": {"detail": scores}, "reasons": ""})
    verdict = "A>B" if first > second else "B>A" if second > first else "A=B"
    return json.dumps({"reasons": "Not [[A=B]], by length.", "verdict": verdict})


def completion(text: str) -> dict[str, Any]:
    choice = {"message": {"content": text}, "finish_reason": "stop"}
    return {"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}


@contextlib.contextmanager
def judge_server() -> Iterator[tuple[Judge, str]]:
    """The model, and its address in a recipe."""
    model = Judge()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, reply = model.reply(json.loads(body))
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield model, f"http://127.0.0.1:{server.server_port}/v1#tiny"


def pairs(number: int) -> bytes:
    rows = [
        {"id": str(n), "prompt": f"q{n}?", "response_A": "a" * (1 + n % 3), "response_B": "bb"}
        for n in range(number)
    ]
    return lines(*rows)
