"""What Bedrock's stand-ins share: HTTP, the pattern of models, the ARNs of jobs; and its runtime.

Converse is answered like endpoints.
"""

import json
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from nova_judge_local.bedrock.own_account import forwarded
from nova_judge_local.emulator_settings import EmulatorSettings, OwnBedrock
from nova_judge_local.judges.model_answers import Answers
from nova_judge_local.sagemaker.api import ApiError, HttpAnswer, Parameters, json_answer
from nova_judge_local.service_models import service_model


def converse(
    answers: Answers, own: OwnBedrock | None, method: str, path: str, body: bytes
) -> HttpAnswer:
    """Answer `POST /model/<id>/converse`; anything else is refused by name.

    The models of `own` answer themselves.
    """

    def answer() -> Parameters:
        parts = path.strip("/").split("/")
        if method != "POST" or parts[0] != "model" or parts[-1] != "converse":
            raise ApiError(
                "ValidationException", f"{method} {path}: local mode knows Converse only.", 501
            )
        model, request = unquote("/".join(parts[1:-1])), json.loads(body)
        if own is not None and model in own.models:
            return answers.noted(lambda: forwarded(own, model, request))
        return answers.converse(model, request)

    return answered(answer)


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


def check_pattern(shape: str, member: str, parameters: Parameters) -> None:
    """Raises ApiError where a member does not match its pattern, which botocore leaves to AWS.

    Of models the pattern of batch inference has no imported ones, deployments, provisioned
    throughput and routers.
    """
    structure: Any = service_model("bedrock").shape_for(shape)
    pattern = structure.members[member].metadata["pattern"]
    if not re.fullmatch(pattern, str(parameters[member])):
        raise ApiError(
            "ValidationException",
            f"Value '{parameters[member]}' at '{member}' failed to satisfy constraint: Member must "
            f"satisfy regular expression pattern: {pattern}",
        )


def new_arn(settings: EmulatorSettings, kind: str) -> str:
    """The ARN of a job that was not there before."""
    place = f"{settings.region}:{settings.account}"
    return f"arn:aws:bedrock:{place}:{kind}/{uuid.uuid4().hex[:12]}"
