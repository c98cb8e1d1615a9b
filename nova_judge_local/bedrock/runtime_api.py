"""HTTP parts that Bedrock's stand-ins share, and its runtime: Converse, answered like endpoints."""

import json
from collections.abc import Callable
from urllib.parse import unquote

from nova_judge_local.bedrock.own_account import forwarded
from nova_judge_local.emulator_settings import OwnBedrock
from nova_judge_local.judges.model_answers import Answers
from nova_judge_local.sagemaker.api import ApiError, HttpAnswer, Parameters, json_answer


def converse(
    answers: Answers, own: OwnBedrock | None, method: str, path: str, body: bytes
) -> HttpAnswer:
    """Answer `POST /model/<id>/converse`; anything else is refused by name.

    The models of `own` answer themselves.
    """
    return answered(lambda: _converse(answers, own, method, path, body))


def _converse(
    answers: Answers, own: OwnBedrock | None, method: str, path: str, body: bytes
) -> Parameters:
    parts = path.strip("/").split("/")
    if method != "POST" or parts[0] != "model" or parts[-1] != "converse":
        raise ApiError(
            "ValidationException", f"{method} {path}: local mode knows Converse only.", 501
        )
    model, request = unquote("/".join(parts[1:-1])), json.loads(body)
    if own is not None and model in own.models:
        return answers.noted(lambda: forwarded(own, model, request))
    return answers.converse(model, request)


def answered(operation: Callable[[], Parameters]) -> HttpAnswer:
    """Answer with what the operation returns, or the error that it raises, in Bedrock's form."""
    try:
        return json_answer(operation())
    except ApiError as error:
        code = "ValidationException" if error.code == "ValidationError" else error.code
        answer: Parameters = {"message": error.message}
        if error.original is not None:
            answer["originalStatusCode"] = error.original
        return json_answer(answer, error.status, **{"x-amzn-errortype": code})
