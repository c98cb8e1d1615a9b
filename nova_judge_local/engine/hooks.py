"""The private names of the emulator that local mode changes, and why. Each has a canary test.

The emulator is pinned to one version (requirements.txt). Everything here runs in the emulator's
own process, before it serves.
"""

import contextvars
import functools
import json
from collections.abc import Callable
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, TypeAlias
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError
from ministack import app
from ministack.core import iam_actions, lambda_runtime, responses, router
from ministack.core.concurrency import run_reentrant
from ministack.services import eventbridge, lambda_svc, s3, stepfunctions

from nova_judge_local.sagemaker.api import HttpAnswer
from nova_judge_local.service_models import service_data, service_model

_UNNAMED_ERROR = '"error": str(e), "trace"'
_NAMED_ERROR = '"error": "\\x01" + type(e).__name__ + "\\x01" + str(e), "trace"'
_MARK = "\x01"

Answering: TypeAlias = Callable[[str, str, dict[str, str], bytes], HttpAnswer | None]
"""Answers a call by its method, path and query, headers and body."""

_version_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("version_id", default=None)


def name_lambda_errors(report: Callable[[str, str], None]) -> None:
    """A failed function reports its exception's class as `errorType`: Retry and Catch need it.

    `report` hears of every failure: the function, and what it wrote with its stack trace.
    """
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_UNNAMED_ERROR, _NAMED_ERROR)
    run = lambda_svc._execute_function_warm

    @functools.wraps(run)
    def execute(function: dict[str, Any], *arguments: object) -> dict[str, Any]:
        result: dict[str, Any] = run(function, *arguments)
        body = result.get("body")
        if not (result.get("error") and isinstance(body, dict)):
            return result
        message = str(body.get("errorMessage"))
        if message.startswith(_MARK):
            _, body["errorType"], body["errorMessage"] = message.split(_MARK, 2)
        config = function.get("config") or function
        report(config["FunctionName"], result.get("log") or str(body))
        return result

    lambda_svc._execute_function_warm = execute


def add_version_ids() -> None:
    """`Object Created` events of versioned buckets say which version they are about."""
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    @functools.wraps(fire)
    def fire_with_version(
        *arguments: object, version_id: str | None = None, **named: object
    ) -> None:
        token = _version_id.set(version_id)
        try:
            fire(*arguments, version_id=version_id, **named)
        finally:
            _version_id.reset(token)

    @functools.wraps(dispatch)
    def dispatch_with_version(event: dict[str, Any], *arguments: object) -> None:
        version_id = _version_id.get()
        if version_id and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version_id
            event = {**event, "Detail": json.dumps(detail)}
        dispatch(event, *arguments)

    s3._fire_s3_event = fire_with_version
    eventbridge._dispatch_event = dispatch_with_version


def honour_ranges_of_versions() -> None:
    """A `Range` holds for a named version too, not only for the newest one."""
    get = s3._get_object

    @functools.wraps(get)
    def get_range(
        bucket: str, key: str, headers: dict[str, str], *rest: object
    ) -> tuple[int, dict[str, str], bytes]:
        status, answered, body = get(bucket, key, headers, *rest)
        wanted = headers.get("range")
        if status != HTTPStatus.OK or not wanted:
            return status, answered, body
        ends = s3._parse_range(wanted, len(body))
        if ends is None:
            return HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {}, b""
        first, last = ends
        part = body[first : last + 1]
        whole = {name for name in answered if name.lower().startswith("x-amz-checksum")}
        answered = {name: value for name, value in answered.items() if name not in whole} | {
            "Content-Length": str(len(part)),
            "Content-Range": f"bytes {first}-{last}/{len(body)}",
        }
        return HTTPStatus.PARTIAL_CONTENT, answered, part

    s3._get_object = get_range


def add_service(name: str, patterns: dict[str, Any] | None, answer: Answering) -> None:
    """Serve an AWS API of our own; `answer` may call back."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes | str, query: object
    ) -> object:
        del query
        return await run_reentrant(
            answer, method, path, dict(headers), _bytes(body), thread_name=f"local-{name}"
        )

    app.SERVICE_HANDLERS[name] = handle
    if patterns is not None:
        router.SERVICE_PATTERNS[name] = patterns


def answer_first(name: str, answer: Answering) -> None:
    """Ask `answer` before the engine's own service; None leaves a call to the engine."""
    engine = app.SERVICE_HANDLERS[name]

    async def handle(
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | str,
        query: dict[str, list[str]],
    ) -> object:
        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path
        answered = answer(method, asked, dict(headers), _bytes(body))
        return answered or await engine(method, path, headers, body, query)

    app.SERVICE_HANDLERS[name] = handle


def _bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def publish_event(entry: dict[str, Any]) -> None:
    """Put one event of an AWS service on the default bus; its `Detail` is an object."""
    eventbridge._put_events(
        {"Entries": [{**entry, "Detail": json.dumps(entry["Detail"])}]}, allow_aws_source=True
    )


def read_service_models_once() -> None:
    """What botocore knows of a service is read once; the engine makes a session for each."""

    @functools.cache
    def known(service: str) -> object | None:
        try:
            return service_model(responses._BOTOCORE_NAME.get(service, service))
        except BotoCoreError:
            return None

    def operations(service: str) -> dict[str, Any]:
        try:
            return service_data(service)
        except BotoCoreError:
            return {}

    responses._service_model = stepfunctions._service_model = known
    iam_actions._load_botocore_model = operations


def start_functions_with(popen: Callable[..., Any]) -> None:
    """The engine's workers are started by `popen` instead of `subprocess.Popen`."""
    engine = lambda_runtime.subprocess
    lambda_runtime.subprocess = SimpleNamespace(**{**vars(engine), "Popen": popen})


def stop_workers() -> None:
    """End every Lambda worker."""
    lambda_runtime.reset()
