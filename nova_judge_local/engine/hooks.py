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
from typing import Any
from urllib.parse import unquote, urlencode

import botocore.session
from botocore.exceptions import BotoCoreError
from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, responses, router
from ministack.core.concurrency import run_reentrant
from ministack.services import eventbridge, iam, lambda_svc, s3, stepfunctions

_UNNAMED_ERROR = '"error": str(e), "trace"'
_NAMED_ERROR = '"error": "\\x01" + type(e).__name__ + "\\x01" + str(e), "trace"'
_MARK = "\x01"

_sources: contextvars.ContextVar[str | None] = contextvars.ContextVar("sources", default=None)
_supposed: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar(
    "supposed", default=None
)
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


def answer_condition_keys() -> None:
    """Policies may ask for a secure transport, as which loopback counts, and an event's source."""
    resolve = iam_evaluator._resolve_condition_key

    @functools.wraps(resolve)
    def resolve_key(key: str, *arguments: object, **named: object) -> object:
        if key.lower() == "aws:securetransport":
            return "true"
        if key.lower() == "events:source" and _sources.get():
            return _sources.get()
        if key.lower() in (supposed := _supposed.get() or {}):
            return supposed[key.lower()]
        return resolve(key, *arguments, **named)

    iam_evaluator._resolve_condition_key = resolve_key


def authorize_as_aws_does() -> None:
    """Converse needs a model's right; policies name batch jobs, map runs and simulated roles."""
    extract_action, extract_arn = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    @functools.wraps(extract_action)
    def action(*request: Any) -> Any:  # noqa: ANN401
        named = extract_action(*request)
        return "bedrock:InvokeModel" if named == "bedrock:Converse" else named

    @functools.wraps(extract_arn)
    def arn(service: str, method: str, path: str, *rest: Any) -> Any:  # noqa: ANN401
        if service == "bedrock" and path.startswith("/model-invocation-job/"):
            return unquote(path).removeprefix("/model-invocation-job/").removesuffix("/stop")
        if service == "bedrock" and path == "/model-invocation-job":
            region, account = rest[-2:]
            return f"arn:aws:bedrock:{region}:{account}:model-invocation-job/new"
        if service == "states" and (run := iam_actions._safe_json_field(rest[1], "mapRunArn")):
            return run
        if service == "events":
            _sources.set(_source_of_entries(rest[1]))
        role = rest[2].get("PolicySourceArn") if service == "iam" else None
        if role:
            return role[0] if isinstance(role, list) else role
        return extract_arn(service, method, path, *rest)

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = action, arn


def simulate_with_context() -> None:
    """IAM's simulator supposes the values of condition keys that it is given."""
    simulate = iam._simulate_principal_policy

    @functools.wraps(simulate)
    def with_context(parameters: dict[str, list[str]]) -> object:
        entries: dict[str, str] = {}
        number = 1
        while key := iam._p(parameters, f"ContextEntries.member.{number}.ContextKeyName"):
            value = f"ContextEntries.member.{number}.ContextKeyValues.member.1"
            entries[key.lower()] = iam._p(parameters, value)
            number += 1
        token = _supposed.set(entries)
        try:
            return simulate(parameters)
        finally:
            _supposed.reset(token)

    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = with_context


def _source_of_entries(body: bytes) -> str | None:
    """The source that all entries of a PutEvents call have; None for any other call."""
    try:
        sources = {str(entry["Source"]) for entry in json.loads(body)["Entries"]}
    except (ValueError, KeyError, TypeError):
        return None
    return sources.pop() if len(sources) == 1 else None


def add_service(
    name: str,
    patterns: dict[str, Any] | None,
    answer: Callable[..., tuple[int, dict[str, str], bytes]],
) -> None:
    """Serve an AWS API of our own; `answer(method, path, headers, body)` may call back."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes | str, query: object
    ) -> object:
        del query
        content = body.encode() if isinstance(body, str) else bytes(body)
        return await run_reentrant(
            answer, method, path, dict(headers), content, thread_name=f"local-{name}"
        )

    app.SERVICE_HANDLERS[name] = handle
    if patterns is not None:
        router.SERVICE_PATTERNS[name] = patterns


def answer_first_by_content(
    name: str,
    answer: Callable[[dict[str, str], bytes], tuple[int, dict[str, str], bytes] | None],
) -> None:
    """The same for an API that tells its calls by a header: `answer(headers, body)`."""
    engine = app.SERVICE_HANDLERS[name]

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes | str, query: object
    ) -> object:
        content = body.encode() if isinstance(body, str) else bytes(body)
        return answer(dict(headers), content) or await engine(method, path, headers, body, query)

    app.SERVICE_HANDLERS[name] = handle


def answer_first(
    name: str, answer: Callable[[str, str], tuple[int, dict[str, str], bytes] | None]
) -> None:
    """Ask `answer(method, path)` before the engine's own service; None leaves it to the engine."""
    engine = app.SERVICE_HANDLERS[name]

    async def handle(method: str, path: str, *rest: object) -> object:
        return answer(method, path) or await engine(method, path, *rest)

    app.SERVICE_HANDLERS[name] = handle


def answer_body_first(
    name: str, answer: Callable[[str, str, bytes], tuple[int, dict[str, str], bytes] | None]
) -> None:
    """As `answer_first`, for `answer(method, path and query, body)`."""
    engine = app.SERVICE_HANDLERS[name]

    async def handle(
        method: str, path: str, headers: object, body: bytes | str, query: dict[str, list[str]]
    ) -> object:
        content = body.encode() if isinstance(body, str) else bytes(body)
        asked = f"{path}?{urlencode(query, doseq=True)}"
        return answer(method, asked, content) or await engine(method, path, headers, body, query)

    app.SERVICE_HANDLERS[name] = handle


def publish_event(entry: dict[str, Any]) -> None:
    """Put one event of an AWS service on the default bus; its `Detail` is an object."""
    eventbridge._put_events(
        {"Entries": [{**entry, "Detail": json.dumps(entry["Detail"])}]}, allow_aws_source=True
    )


def read_service_models_once() -> None:
    """One session reads what botocore knows of services; the engine makes a session for each."""
    session = botocore.session.Session()

    @functools.cache
    def service_model(service: str) -> object | None:
        try:
            return session.get_service_model(responses._BOTOCORE_NAME.get(service, service))
        except BotoCoreError:
            return None

    responses._service_model = stepfunctions._service_model = service_model


def start_functions_with(popen: Callable[..., Any]) -> None:
    """The engine's workers are started by `popen` instead of `subprocess.Popen`."""
    engine = lambda_runtime.subprocess
    lambda_runtime.subprocess = SimpleNamespace(**{**vars(engine), "Popen": popen})


def stop_workers() -> None:
    """End every Lambda worker."""
    lambda_runtime.reset()
