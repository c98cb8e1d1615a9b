"""The stand-in for Bedrock's runtime: Converse, answered like the endpoints."""

import json
from urllib.parse import unquote

from nova_judge.local.answers import Answers
from nova_judge.local.sagemaker_api import ApiError, HttpAnswer, to_json

_JSON = {"Content-Type": "application/json"}


def converse(answers: Answers, method: str, path: str, body: bytes) -> HttpAnswer:
    """Answer `POST /model/<id>/converse`; anything else is refused by name."""
    parts = path.strip("/").split("/")
    try:
        if method != "POST" or parts[0] != "model" or parts[-1] != "converse":
            raise ApiError(
                "ValidationException", f"{method} {path}: local mode knows Converse only.", 501
            )
        model = unquote("/".join(parts[1:-1]))
        return HttpAnswer(200, dict(_JSON), to_json(answers.converse(model, json.loads(body))))
    except ApiError as error:
        code = "ValidationException" if error.code == "ValidationError" else error.code
        headers = {**_JSON, "x-amzn-errortype": code}
        return HttpAnswer(error.status, headers, to_json({"message": error.message}))
