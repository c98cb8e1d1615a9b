"""Reads what a folder in S3, or a model of the Hub, holds: sizes and two small files of JSON."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias, TypeVar
from urllib.parse import quote

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from nova_judge.aws import s3
from nova_judge.check import NotRead
from nova_judge.sources.checkpoint import (
    AdapterShape,
    Checkpoint,
    FolderFile,
    Shape,
    weight_bytes,
)
from nova_judge.text import storable

MOST_FILES: Final = 5_000
MOST_BYTES: Final = 32 * 1024**2
"""Bytes of one file of JSON: an index names each tensor."""
HUB: Final = "https://huggingface.co"
HUB_WITHIN_S: Final = 10.0
_CONFIG, _INDEX, _ADAPTER = "config.json", "model.safetensors.index.json", "adapter_config.json"
_TOKENIZER = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json")

Described = TypeVar("Described")
ReadFile: TypeAlias = Callable[[str], bytes | None]
"""A file's bytes by its name below the folder; None where it is not there, or too large."""


def in_s3(uri: str) -> Checkpoint:
    """The checkpoint in a folder (`s3://bucket/folder/`); raises ClientError."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    files = [
        FolderFile(item["Key"].removeprefix(prefix), item["Size"], item.get("ETag", ""))
        for item in islice(s3.listed(bucket, prefix), MOST_FILES)
    ]
    sizes = {file.name: file.size for file in files}

    def read(name: str) -> bytes | None:
        if sizes.get(name, MOST_BYTES + 1) > MOST_BYTES:
            return None
        return s3.read(bucket, f"{prefix}{name}", MOST_BYTES)

    return _checkpoint(files, read)


def on_the_hub(model: str, revision: str) -> Checkpoint | NotRead:
    """A model of the Hub at a revision, as the Hub's public API tells of it without a key."""
    pool = urllib3.PoolManager(timeout=HUB_WITHIN_S, retries=False)
    at = quote(revision, safe="")

    def get(path: str) -> bytes | None:
        answer = pool.request("GET", f"{HUB}/{path}", redirect=3)
        return answer.data[:MOST_BYTES] if answer.status == 200 else None

    try:
        told = get(f"api/models/{model}/revision/{at}?blobs=true")
        if told is None:
            return NotRead(f"the Hub does not show {model} at {revision}")
        siblings = json.loads(told).get("siblings", [])
        files = [FolderFile(str(one["rfilename"]), int(one.get("size") or 0)) for one in siblings]
        return _checkpoint(files, lambda name: get(f"{model}/resolve/{at}/{name}"))
    except (HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        return NotRead(f"the Hub did not tell of {model}: {type(error).__name__}")


def _checkpoint(files: Sequence[FolderFile], read: ReadFile) -> Checkpoint:
    names = {file.name for file in files}
    marks = sorted((file.name, file.size, file.mark) for file in files)
    version = hashlib.sha256(msgspec.json.encode(marks)).hexdigest()[:16]
    adapter = _decoded(read(_ADAPTER), AdapterShape) if _ADAPTER in names else None
    found = Checkpoint(version=version, adapter=adapter)
    problem = next(_problems(files, names, adapter), "")
    if problem or adapter is not None:
        return found._replace(problem=problem)
    shape = _decoded(read(_CONFIG), Shape)
    index = _decoded(read(_INDEX), _Index) if _INDEX in names else None
    size = weight_bytes(files, None if index is None else index.metadata.total_size)
    if shape is None:
        return found._replace(weight_bytes=size, shape=Shape())
    return found._replace(weight_bytes=size, shape=shape)


class _Metadata(msgspec.Struct):
    total_size: int | None = None


class _Index(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def _decoded(content: bytes | None, kind: type[Described]) -> Described | None:
    """What a file of somebody else describes; None where it is another one, or none."""
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=kind, strict=False)
    except msgspec.DecodeError:
        return None


def _problems(
    files: Sequence[FolderFile], names: set[str], adapter: AdapterShape | None
) -> Iterator[str]:
    """Reasons why SageMaker or the server could not load the folder.

    The rules of names: botocore's S3ModelDataSource, S3Uri.
    """
    if not files:
        yield "it holds nothing"
    if len(files) >= MOST_FILES:
        yield f"it holds {MOST_FILES:,} files or more, as no single checkpoint does"
    folders = {name.rpartition("/")[0] for name in names if "/" in name}
    for name in sorted(names):
        if name.endswith("/") or name == "":
            yield f"it holds the marker of a folder ({_shown(name) or '/'}): delete that object"
        elif any(part in ("", ".", "..") for part in name.split("/")) or name in folders:
            yield f"SageMaker does not take the name {_shown(name)} in it"
    if adapter is None and _CONFIG not in names:
        inner = sorted({n.partition("/")[0] + "/" for n in names if n.endswith(f"/{_CONFIG}")})
        where = f"; {', '.join(map(_shown, inner[:5]))} below it may be meant" if inner else ""
        yield f"it holds no {_CONFIG}, as the folder of a Hugging Face checkpoint does{where}"
    if adapter is None and _CONFIG in names and not names & set(_TOKENIZER):
        yield "it holds no tokenizer (tokenizer.json or tokenizer.model): save it beside the model"


def _shown(name: str) -> str:
    return storable(name)[:100]
