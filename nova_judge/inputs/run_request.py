"""Request of a run: the S3 event's `detail`, or `{"input": "s3://…", "recipe": "pairwise"}`."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

from nova_judge.errors import RequestError
from nova_judge.layout import INBOX
from nova_judge.recipe.shape import read_record
from nova_judge.recipe.trigger import Trigger

__all__ = ["parse_request", "read_wish", "run_id", "slug"]

EXAMPLE = '{"input": "s3://<data bucket>/inbox/pairwise/questions.jsonl", "recipe": "pairwise"}'
_S3_URI = r"^s3://([^/]+)/(.+)\Z"
_INBOX_KEY = re.compile(rf"{INBOX}([^/]+)/(.+)")


class EvaluationRequest(NamedTuple):
    """One wish for an evaluation. `version` is None when the newest is meant.

    Without a `key` no file is meant: benchmarks bring their own questions.

    `by_event`: an event asks, which may come again; a person may ask again for a failed run.
    `trigger`: what set the run off, where that is not a file.
    """

    bucket: str
    key: str
    version: str | None
    recipe: str
    by_event: bool
    no_cache: bool = False
    trigger: Trigger | None = None


class Wish(NamedTuple):
    """Parts of a request that can be read, whatever is wrong with it; "" where nothing is said."""

    input_uri: str
    recipe: str
    trigger: Trigger | None = None


def read_wish(document: object) -> Wish:
    """The file and the recipe that an execution's input names. Raises nothing.

    >>> read_wish({"input": "s3://data/inbox/rubric/q.jsonl", "recipe": "rubric"}).recipe
    'rubric'
    """
    try:
        request = parse_request(document)
    except RequestError:
        return Wish(_named_object(document), "")
    uri = f"s3://{request.bucket}/{request.key}" if request.key else ""
    return Wish(uri, request.recipe, request.trigger)


def _named_object(document: object) -> str:
    if not isinstance(document, Mapping):
        return ""
    bucket, item = document.get("bucket"), document.get("object")
    if isinstance(bucket, Mapping) and isinstance(item, Mapping):
        return f"s3://{bucket.get('name', '')}/{item.get('key', '')}"
    named = document.get("input")
    return named if isinstance(named, str) else ""


def parse_request(document: object) -> EvaluationRequest:
    """Read the execution's input. Raises RequestError with an example of what is expected.

    >>> asked = {"input": "s3://data/inbox/rubric/q.jsonl", "recipe": "rubric"}
    >>> parse_request(asked).recipe
    'rubric'
    """
    if not isinstance(document, Mapping):
        raise RequestError(f"the execution's input is not a JSON object: expected {EXAMPLE}")
    if "bucket" in document and "object" in document:
        return _from_event(document)
    if "recipe" in document:
        return _from_console(document)
    raise RequestError(
        f"the execution's input has keys {sorted(document)}: expected an S3 event's detail, "
        f"or {EXAMPLE}"
    )


class _Named(msgspec.Struct):
    name: str


class _Object(msgspec.Struct, rename="kebab"):
    key: str
    version_id: str | None = None


class _Event(msgspec.Struct):
    bucket: _Named
    object: _Object


_S3Uri: TypeAlias = Annotated[str, Meta(pattern=_S3_URI, description=f"an S3 URI, as in {EXAMPLE}")]


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    recipe: Annotated[
        str,
        Meta(pattern=r"^[\w.-]{1,100}\Z", description='a recipe\'s name, such as "pairwise"'),
    ]
    input: _S3Uri | None = None
    no_cache: bool = False
    trigger: Trigger | None = None


def _from_event(detail: object) -> EvaluationRequest:
    try:
        event = msgspec.convert(detail, _Event)
    except msgspec.ValidationError as error:
        raise RequestError(
            f"the S3 event's detail: {error}: expected bucket.name, object.key"
        ) from error
    key = event.object.key
    parts = _INBOX_KEY.fullmatch(key)
    if parts is None:
        raise RequestError(
            f"{key}: drop files at {INBOX}<recipe>/<name>.jsonl: the folder names the recipe"
        )
    return EvaluationRequest(
        event.bucket.name, key, event.object.version_id, parts[1], by_event=True
    )


def _from_console(document: object) -> EvaluationRequest:
    wanted = read_record(document, _Wanted, file="the execution's input", error=RequestError)
    trigger = wanted.trigger
    if trigger is not None and (problem := trigger.problem()):
        raise RequestError(f"the execution's input: {problem}")
    parts = re.match(_S3_URI, wanted.input or "")
    bucket, key = parts.groups() if parts else ("", "")
    by_event = trigger is not None and trigger.event is not None
    return EvaluationRequest(bucket, key, None, wanted.recipe, by_event, wanted.no_cache, trigger)


def slug(key: str) -> str:
    """A short name of [a-z0-9-] for a file, by which people know a run of it.

    >>> slug("inbox/pairwise/My Questions.jsonl")
    'my-questions'
    """
    stem = PurePosixPath(key).name.partition(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:20].rstrip("-") or "run"


def own_of(trigger: Trigger | None, execution: str, *, no_cache: bool) -> str:
    """The `own` of a run's id."""
    if trigger is not None:
        return trigger.identity
    return execution if no_cache else ""


def run_id(bucket: str, key: str, version: str, recipe_sha256: str, *, own: str = "") -> str:
    """The run's name: readable, and the same for the same object version and recipe.

    `own` is the execution's ARN where it wants answers of its own (`no_cache`): a run beside those
    that others asked for, and the same again when the execution is redriven. A trigger's runs are
    its own by what set them off, so that its event may come twice.
    At most 33 characters of [a-z0-9-], so that a job's name made from it stays below AWS's 63.

    >>> run_id("data", "inbox/pairwise/q.jsonl", "v1", "0" * 64)
    'q-71f6d4b8fee7'
    """
    identity = "\0".join((bucket, key, version, recipe_sha256, *([own] if own else [])))
    return f"{slug(key)}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
