"""A server on loopback that speaks OpenAI's chat completions, and notes what it is asked."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.made.serving import serving


class ChatServer(NamedTuple):
    """The address up to `/v1`, and the bodies of the requests so far."""

    url: str
    asked: list[dict[str, Any]]

    def prompts_of(self, model: str) -> list[str]:
        """What one model was asked, without the word that tries a server."""
        texts = [body["messages"][-1]["content"] for body in self.asked if body["model"] == model]
        return [text for text in texts if text != "Say yes."]


@contextmanager
def chat_server(
    answer: Callable[[dict[str, Any]], str], latency_s: float = 0.0
) -> Iterator[ChatServer]:
    """Serve `answer(request)` until the block ends."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(body)
            time.sleep(latency_s)
            choice = {"message": {"role": "assistant", "content": answer(body)}}
            usage = {"prompt_tokens": 3, "completion_tokens": 5}
            reply = {"choices": [{**choice, "finish_reason": "stop"}], "usage": usage}
            content = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as http:
        yield ChatServer(f"http://127.0.0.1:{http.server_port}/v1", asked)
