"""The private names of the emulator's IAM that local mode changes, and why.

As `hooks`, in the emulator's own process, before it serves; each has a canary test.
"""

import contextvars
import functools
import json
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam

_sources: contextvars.ContextVar[str | None] = contextvars.ContextVar("sources", default=None)
_supposed: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar(
    "supposed", default=None
)


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

    # The engine has no SageMaker, and lets pass what it does not know.
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"

    @functools.wraps(extract_action)
    def action(*request: Any) -> Any:  # noqa: ANN401
        if request[0] == "sagemaker" and request[2].startswith("/endpoints/"):
            return "sagemaker:InvokeEndpoint"
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
        if service == "sagemaker":
            headers, body, _, region, account = rest
            return f"arn:aws:sagemaker:{region}:{account}:{_of_sagemaker(path, headers, body)}"
        if service == "events":
            _sources.set(_source_of_entries(rest[1]))
        role = rest[2].get("PolicySourceArn") if service == "iam" else None
        if role:
            return role[0] if isinstance(role, list) else role
        return extract_arn(service, method, path, *rest)

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = action, arn


_SAGEMAKER_KINDS = {
    "ModelPackage": "model-package",
    "EndpointConfig": "endpoint-config",
    "TrainingJob": "training-job",
    "InferenceComponent": "inference-component",
    "Endpoint": "endpoint",
    "Model": "model",
}


def _of_sagemaker(path: str, headers: dict[str, str], body: bytes) -> str:
    """What a call of SageMaker is about, as its ARN ends; lists are about everything."""
    if path.startswith("/endpoints/"):
        component = headers.get("x-amzn-sagemaker-inference-component")
        name = path.split("/")[2].lower()
        return f"inference-component/{component.lower()}" if component else f"endpoint/{name}"
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        return "*"
    tagged = str(parameters.get("ResourceArn", "")).split(":", 5)[5:]
    operation = headers.get("x-amz-target", "").partition(".")[2]
    kind = next((kind for kind in _SAGEMAKER_KINDS if operation.endswith(kind)), "")
    named = parameters.get(f"{kind}Name") or parameters.get(f"{kind}Arn", "")
    name = str(named).rpartition(":model-package/")[2]
    return tagged[0] if tagged else f"{_SAGEMAKER_KINDS[kind]}/{name.lower()}" if kind else "*"


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
