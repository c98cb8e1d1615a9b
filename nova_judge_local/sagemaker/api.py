"""The stand-in for SageMaker's API: the control plane (JSON 1.1) and the runtime (REST).

Every request is checked with botocore's own model of the service, so that what passes here has the
shape that AWS accepts. The operations are those of `EmulatedHosting` and `TrainingJobs`, which fail
as often as the settings say.
"""

import json
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from botocore.validate import ParamValidator

from nova_judge_local.emulator_settings import EmulatorSettings, EndpointFault, JobFault
from nova_judge_local.service_models import service_model

Parameters: TypeAlias = dict[str, Any]
OneFault = TypeVar("OneFault", JobFault, EndpointFault)
Operation: TypeAlias = Callable[[Parameters], Parameters]
AMZ_JSON = {"Content-Type": "application/x-amz-json-1.1"}


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


class Faults(Generic[OneFault]):
    """The faults of one kind, each handed out as often as its settings say, by several threads."""

    def __init__(self, faults: Sequence[OneFault]) -> None:
        self._faults: tuple[OneFault, ...] = tuple(faults)
        self._left = [fault.times for fault in faults]
        self._lock = threading.Lock()

    def of(self, name: str) -> OneFault | None:
        """The first fault that concerns `name`, used up or not."""
        return next((fault for fault in self._faults if _subject(fault) in name), None)

    def take(self, fault: OneFault) -> bool:
        """Use `fault` once; False when it has been used as often as it may be."""
        with self._lock:
            index = self._faults.index(fault)
            self._left[index] -= 1
            enough: bool = self._left[index] >= 0
        return enough


def _subject(fault: JobFault | EndpointFault) -> str:
    return fault.job if isinstance(fault, JobFault) else fault.endpoint


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
        resource = next((value for key, value in answer.items() if key.endswith("Arn")), None)
        if resource and "Tags" in parameters:
            self._tags[resource] = {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
        return answer

    def http(self, method: str, path: str, headers: dict[str, str], body: bytes) -> HttpAnswer:
        """Answer one HTTP request of either plane."""
        try:
            if path.startswith("/endpoints/") and method == "POST":
                component = headers.get("x-amzn-sagemaker-inference-component")
                answered = self._invoke(path.split("/")[2], component, body)
                return HttpAnswer(200, dict(AMZ_JSON), answered)  # the engine adds to it
            operation = headers.get("x-amz-target", "").partition(".")[2]
            return json_answer(self.call(operation, json.loads(body or b"{}")), 200, **AMZ_JSON)
        except ApiError as error:
            answer: Parameters = {
                "__type": error.code,
                "message": error.message,
                "Message": error.message,
            }
            if error.original is not None:
                answer["OriginalStatusCode"] = error.original
            return json_answer(answer, error.status, **AMZ_JSON, **{"x-amzn-errortype": error.code})


def json_answer(value: object, status: int = 200, **headers: str) -> HttpAnswer:
    """The answer of an API that speaks plain JSON; moments are seconds since the epoch."""
    body = json.dumps(value, default=datetime.timestamp).encode()
    return HttpAnswer(status, {"Content-Type": "application/json", **headers}, body)
