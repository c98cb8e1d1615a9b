"""Copies a gated model of the Hub into the stage's bucket, from where it is served offline.

The key that the Hub asks for stays in the function that copies: no container gets it, and nobody
reads it in a model's description.
"""

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import urllib3
from boto3.s3.transfer import TransferConfig
from urllib3.exceptions import HTTPError

from nova_judge.aws import s3
from nova_judge.aws.checkpoints import HUB
from nova_judge.errors import EndpointError
from nova_judge.layout import copy_folder

ENOUGH_S: Final = 300.0
"""Seconds that the copy of one file may take: none is begun with less left."""
_WITHIN_S: Final = 60.0
_OTHER_FORMS: Final = (".bin", ".pt", ".pth", ".h5", ".msgpack", ".gguf", ".onnx", ".ot")
_REFUSED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


class HubModel(NamedTuple):
    """A model of the Hub at a revision, and the key of somebody who accepted its licence."""

    name: str
    revision: str
    key: str


class _Counted:
    """A stream, and how many bytes were read of it."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - a stream
        self._stream = stream
        self.bytes = 0

    def read(self, amount: int | None = None) -> bytes:
        content: bytes = self._stream.read(amount)
        self.bytes += len(content)
        return content


def copy_more(model: HubModel, bucket: str, time_left: Callable[[], float]) -> bool:
    """Copy the files that are not there yet, as long as there is time; True once all are there.

    Raises EndpointError where the Hub refuses, or breaks off.
    """
    folder = copy_folder(model.name, model.revision)
    there = {item["Key"]: item["Size"] for item in s3.listed(bucket, folder)}
    pool = urllib3.PoolManager(timeout=_WITHIN_S, retries=False)
    try:
        for file, size in _wanted(pool, model):
            key = f"{folder}{file}"
            if there.get(key) == size:
                continue
            if time_left() < ENOUGH_S:
                return False
            at = quote(model.revision, safe="")
            body = _Counted(_get(pool, model, f"{model.name}/resolve/{at}/{quote(file)}"))
            stream: Any = body  # of which nothing but `read` is used
            four = TransferConfig(max_concurrency=4)
            s3.client().upload_fileobj(stream, bucket, key, Config=four)
            if body.bytes != size:  # each further call would copy it again
                raise EndpointError(
                    f"{model.name}: {file} came with {body.bytes:,} bytes, where the Hub says "
                    f"{size:,}: run it again, or put the files into a folder of your own"
                )
    except (HTTPError, ValueError, KeyError, TypeError) as error:
        raise EndpointError(
            f"{model.name} could not be copied from the Hub ({type(error).__name__}): run it again"
        ) from error
    return True


def _wanted(pool: urllib3.PoolManager, model: HubModel) -> Iterator[tuple[str, int]]:
    """The files of the checkpoint by name and size: the weights in one form, the rest of its root.

    Folders hold the same weights for other programs.
    """
    at = quote(model.revision, safe="")
    answer = _get(pool, model, f"api/models/{model.name}/revision/{at}?blobs=true")
    files = {one["rfilename"]: int(one["size"]) for one in json.loads(answer.read())["siblings"]}
    safe = any(name.endswith(".safetensors") for name in files)
    for name, size in sorted(files.items()):
        if "/" not in name and not (safe and name.endswith(_OTHER_FORMS)):
            yield name, size


def _get(pool: urllib3.PoolManager, model: HubModel, path: str) -> Any:  # noqa: ANN401 - a stream
    """The body of an answer; a key is sent to the Hub alone, and not where it sends us on."""
    headers = {"authorization": f"Bearer {model.key}"}
    follow = urllib3.Retry(redirect=3, connect=2, read=False, status=False, other=0)
    answer = pool.request(
        "GET", f"{HUB}/{path}", headers=headers, preload_content=False, retries=follow
    )
    if answer.status in _REFUSED:
        raise EndpointError(
            f"the Hub refuses {model.name} at {model.revision} (HTTP {answer.status}): accept its "
            "licence with the account whose key the secret holds, or correct name and revision"
        )
    if answer.status != HTTPStatus.OK:
        raise EndpointError(f"the Hub answered HTTP {answer.status} to {model.name}: run it again")
    return answer
