"""The stand-in for SageMaker's API: the control plane (JSON 1.1) and the runtime (REST).

Every request is checked with botocore's own model of the service, so that what passes here has the
shape that AWS accepts. The operations are those of `EmulatedHosting` and `TrainingJobs`.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from botocore.validate import ParamValidator

from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.service_models import service_model

Parameters: TypeAlias = dict[str, Any]
Operation: TypeAlias = Callable[[Parameters], Parameters]


class ApiError(Exception):
    """An error answer of the emulated API, with AWS's code for it.

    `original` is the status that the model's own server answered with, inside a `ModelError`.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, original: int | None = None
    ) -> None:
        super().__init__(message)
        self.original = original
        self.code = code
        self.message = message
        self.status = status


class HttpAnswer(NamedTuple):
    """Answer over HTTP: status, headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes


def check_request(service: str, operation: str, parameters: Parameters) -> None:
    """Raises ApiError where botocore's model of the service would refuse the request."""
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise ApiError("ValidationException", report.generate_report())


def arn(settings: EmulatorSettings, kind: str, name: str) -> str:
    """The ARN of a SageMaker resource; names are lower-cased as AWS does."""
    return f"arn:aws:sagemaker:{settings.region}:{settings.account}:{kind}/{name.lower()}"


class SageMakerApi:
    """Routes checked requests to the operations."""

    def __init__(
        self, operations: dict[str, Operation], invoke: Callable[[str, str | None, bytes], bytes]
    ) -> None:
        self._operations = operations
        self._invoke = invoke
        self._tags: dict[str, dict[str, str]] = {}

    def call(self, operation: str, parameters: Parameters) -> Parameters:
        """Run one control-plane operation; raises `ApiError`."""
        if operation == "ListTags":
            tags = self._tags.get(parameters.get("ResourceArn", ""), {})
            return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        if operation == "AddTags":
            check_request("sagemaker", operation, parameters)
            given = {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
            self._tags.setdefault(parameters["ResourceArn"], {}).update(given)
            return {"Tags": parameters["Tags"]}
        if operation not in self._operations:
            offered = ", ".join(sorted(self._operations))
            raise ApiError(
                "UnknownOperationException", f"{operation}: local mode knows {offered}", 501
            )
        check_request("sagemaker", operation, parameters)
        answer = self._operations[operation](parameters)
        self._remember_tags(answer, parameters)
        return answer

    def http(self, method: str, path: str, headers: dict[str, str], body: bytes) -> HttpAnswer:
        """Answer one HTTP request of either plane."""
        try:
            if path.startswith("/endpoints/") and method == "POST":
                component = headers.get("x-amzn-sagemaker-inference-component")
                return _json(200, self._invoke(path.split("/")[2], component, body))
            operation = headers.get("x-amz-target", "").partition(".")[2]
            return _json(200, to_json(self.call(operation, json.loads(body or b"{}"))))
        except ApiError as error:
            answer: Parameters = {
                "__type": error.code,
                "message": error.message,
                "Message": error.message,
            }
            if error.original is not None:
                answer["OriginalStatusCode"] = error.original
            return _json(error.status, to_json(answer), {"x-amzn-errortype": error.code})

    def _remember_tags(self, answer: Parameters, parameters: Parameters) -> None:
        resource = next((value for key, value in answer.items() if key.endswith("Arn")), None)
        if resource and "Tags" in parameters:
            self._tags[resource] = {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}


def json_answer(value: object, status: int = 200, **headers: str) -> HttpAnswer:
    """The answer of an API that speaks plain JSON."""
    return HttpAnswer(status, {"Content-Type": "application/json", **headers}, to_json(value))


def to_json(value: object) -> bytes:
    """JSON as the API writes it: moments are seconds since the epoch."""
    return json.dumps(value, default=_seconds).encode()


def _seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def _json(status: int, body: bytes, headers: dict[str, str] | None = None) -> HttpAnswer:
    return HttpAnswer(
        status, {"Content-Type": "application/x-amz-json-1.1", **(headers or {})}, body
    )
