"""Bedrock on loopback: it lists and answers for the models that it is given, and counts calls."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote

from tests.made.serving import serving


class BedrockServer(NamedTuple):
    """The environment under which clients call it, and the models of the calls so far."""

    environment: dict[str, str]
    asked: list[str]


@contextmanager
def bedrock_server(models: Mapping[str, Callable[[str], str]]) -> Iterator[BedrockServer]:
    """Serve each model by a function of its prompt until the block ends."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(self.path).partition("?")[0]
            name = path.rpartition("/")[2]
            if path == "/foundation-models":
                self._say(200, {"modelSummaries": [self._details(each) for each in models]})
            elif path == "/inference-profiles":
                self._say(200, {"inferenceProfileSummaries": []})
            elif path.startswith("/foundation-models/") and name in models:
                self._say(200, {"modelDetails": self._details(name)})
            else:
                self._say(404, {"message": "none"}, "ResourceNotFoundException")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            model = unquote(self.path).split("/")[2]
            asked.append(model)
            prompt = body["messages"][-1]["content"][0]["text"]
            message = {"role": "assistant", "content": [{"text": models[model](prompt)}]}
            usage = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}
            answer = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
            self._say(200, {**answer, "metrics": {"latencyMs": 1}})

        def _details(self, name: str) -> dict[str, Any]:
            arn = f"arn:aws:bedrock:us-east-1::foundation-model/{name}"
            life = {"status": "ACTIVE"}
            return {"modelArn": arn, "modelId": name, "modelLifecycle": life}

        def _say(self, status: int, answer: dict[str, Any], error: str = "") -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            if error:
                self.send_header("x-amzn-errortype", error)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as http:
        url = f"http://127.0.0.1:{http.server_port}"
        services = ("BEDROCK", "BEDROCK_RUNTIME")
        keys = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine"}
        places = {f"AWS_ENDPOINT_URL_{service}": url for service in services}
        yield BedrockServer({**keys, **places, "AWS_REGION": "us-east-1"}, asked)
