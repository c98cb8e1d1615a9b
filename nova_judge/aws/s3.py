"""Objects in S3: small ones whole, large ones as streams in constant memory."""

import functools
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import ClientError

from nova_judge.aws.client_errors import code_of, passing
from nova_judge.errors import InputFileError
from nova_judge.layout import INBOX
from nova_judge.records import S3Object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

CHUNK = 1 << 20
PART = 8 << 20
_FORBIDDEN = {"403", "AccessDenied"}
_MISSING = {"404", "NoSuchKey", "NoSuchVersion", "NotFound"}

Stored = TypeVar("Stored")


client = functools.cache(lambda: boto3.client("s3"))


def parallel_client(threads: int) -> "S3Client":
    """A client with a connection for each of so many threads."""
    return boto3.client("s3", config=Config(max_pool_connections=threads))


def presigned(bucket: str, key: str, hours: float) -> str:
    """A link that lets whoever has it read one object, for at most as long as the caller's
    credentials hold. SigV4, which a bucket with a key of its own demands.
    """
    signing = boto3.client("s3", config=Config(signature_version="s3v4"))
    return signing.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=round(hours * 3600)
    )


def delete_below(bucket: str, prefix: str) -> int:
    """Delete all objects below a prefix; their number. The lifecycle ends their versions."""
    deleted = 0
    for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        contents = page.get("Contents", [])
        if contents:
            objects: Any = [{"Key": item["Key"]} for item in contents]
            client().delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        deleted += len(contents)
    return deleted


def listed(bucket: str, prefix: str) -> Iterator["ObjectTypeDef"]:
    """All objects below a prefix, as S3 lists them: in the order of their keys."""
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return pages.search("Contents || `[]`")


def keys(bucket: str, prefix: str) -> Iterator[str]:
    """All keys below a prefix."""
    return (item["Key"] for item in listed(bucket, prefix))


def folders(bucket: str, prefix: str) -> Iterator[str]:
    """The next part, up to its `/`, of all keys that begin with `prefix`."""
    listing = client().get_paginator("list_objects_v2")
    pages = listing.paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    for folder in pages.search("CommonPrefixes[].Prefix || `[]`"):
        yield folder.removeprefix(prefix).removesuffix("/")


def describe(bucket: str, key: str, version: str | None = None) -> S3Object:
    """The object's current (or given) version. Raises InputFileError where it cannot be read."""
    wanted: Any = {"VersionId": version} if version else {}
    try:
        head = client().head_object(Bucket=bucket, Key=key, **wanted)
    except ClientError as error:
        code = code_of(error)
        if code in _FORBIDDEN:
            raise InputFileError(f"s3://{bucket}/{key} may not be read: {_why(key)}") from error
        if code not in _MISSING:
            raise
        raise InputFileError(
            f"s3://{bucket}/{key} does not exist"
            + (f" in version {version}" if version else "")
            + ": upload it first, or correct the URI"
        ) from error
    return S3Object(bucket, key, head.get("VersionId", "null"), head["ContentLength"])


def _why(key: str) -> str:
    if not key.startswith(INBOX):
        return f"put it below {INBOX} of the data bucket"
    return (
        "it is encrypted with a key that the stage's functions may not use, or another account has "
        "it. Upload it again without a key of its own, or name the key as kms_key of the stage in "
        "cdk.json"
    )


def metadata(item: S3Object) -> dict[str, str]:
    """Metadata that the uploader gave an object version; keys in lower case."""
    head = client().head_object(Bucket=item.bucket, Key=item.key, VersionId=item.version)
    return {name: urllib.parse.unquote(value) for name, value in head.get("Metadata", {}).items()}


def read(bucket: str, key: str, most: int | None = None) -> bytes:
    """A small object, whole, or the first `most` bytes of what somebody else wrote."""
    return client().get_object(Bucket=bucket, Key=key)["Body"].read(most)


def read_if_exists(bucket: str, key: str, most: int | None = None) -> bytes | None:
    """The same, or None where there is none."""
    with passing(*_MISSING):
        return read(bucket, key, most)
    return None


def read_record(bucket: str, key: str, kind: type[Stored]) -> Stored:
    """The record that a small object of JSON holds."""
    return msgspec.json.decode(read(bucket, key), type=kind)


def find_record(bucket: str, key: str, kind: type[Stored]) -> Stored | None:
    """The same, or None where there is none."""
    content = read_if_exists(bucket, key)
    return None if content is None else msgspec.json.decode(content, type=kind)


def head(item: S3Object, size: int = CHUNK) -> bytes:
    """The first `size` bytes of an object version."""
    if item.size == 0:
        return b""
    return b"".join(stream(item, 0, min(size, item.size)))


def stream(item: S3Object, start: int, end: int | None = None) -> Iterator[bytes]:
    """The bytes [start, end) of an object version in chunks; stop taking to stop reading."""
    if start >= item.size:
        return
    last = "" if end is None else str(end - 1)
    try:
        answered = client().get_object(
            Bucket=item.bucket, Key=item.key, VersionId=item.version, Range=f"bytes={start}-{last}"
        )
    except ClientError as error:
        if code_of(error) == "InvalidObjectState":
            raise InputFileError(
                f"{item.uri} lies in an archive class of S3: restore it, or copy it to Standard"
            ) from error
        if code_of(error) not in _FORBIDDEN or not item.key.startswith(INBOX):
            raise
        raise InputFileError(f"{item.uri} may not be read: {_why(item.key)}") from error
    body = answered["Body"]
    try:
        if not answered.get("ContentRange", "").startswith(f"bytes {start}-"):
            raise InputFileError(f"{item.uri}: S3 sent another place than byte {start}")
        yield from body.iter_chunks(CHUNK)
    finally:
        body.close()


def lines(item: S3Object) -> Iterator[bytes]:
    """The lines of an object that we wrote, in constant memory."""
    rest = b""
    for chunk in stream(item, 0):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def write(
    bucket: str, key: str, body: bytes, content_type: str = "application/octet-stream"
) -> None:
    """Write a small object, whole."""
    client().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


def write_record(bucket: str, key: str, record: object) -> None:
    """Write a record, or several, as JSON."""
    write(bucket, key, msgspec.json.encode(record), "application/json")


def upload(
    path: Path, bucket: str, key: str, content_type: str = "application/octet-stream"
) -> None:
    """Write a file of any size in constant memory."""
    with ObjectWriter(bucket, key, content_type) as target, path.open("rb") as file:
        while chunk := file.read(CHUNK):
            target.write(chunk)


def copy(bucket: str, key: str, target: str) -> None:
    """Copy an object of at most 5 GB inside a bucket: no byte of it passes through here."""
    client().copy_object(Bucket=bucket, Key=target, CopySource={"Bucket": bucket, "Key": key})


class ObjectWriter:
    """Writes an object of any size in constant memory; it appears when the block succeeds."""

    def __init__(
        self, bucket: str, key: str, content_type: str = "application/octet-stream"
    ) -> None:
        self._bucket, self._key, self._type = bucket, key, content_type
        self._buffer = bytearray()
        self._upload: str | None = None
        self._parts: list[str] = []

    def write(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= PART:
            self._send()

    def _send(self) -> None:
        if self._upload is None:
            begun = client().create_multipart_upload(
                Bucket=self._bucket, Key=self._key, ContentType=self._type
            )
            self._upload = begun["UploadId"]
        part = client().upload_part(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload,
            PartNumber=len(self._parts) + 1,
            Body=bytes(self._buffer),
        )
        self._parts.append(part["ETag"])
        self._buffer.clear()

    def __enter__(self) -> "ObjectWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            if self._upload is not None:
                client().abort_multipart_upload(
                    Bucket=self._bucket, Key=self._key, UploadId=self._upload
                )
            return
        if self._upload is None:
            write(self._bucket, self._key, bytes(self._buffer), self._type)
            return
        if self._buffer:
            self._send()
        client().complete_multipart_upload(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload,
            MultipartUpload={
                "Parts": [{"ETag": tag, "PartNumber": n} for n, tag in enumerate(self._parts, 1)]
            },
        )


class BucketObjects:
    """`answer_store.Objects` in one bucket. The client may retry: its writes are idempotent."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys that begin with `prefix`, sorted as S3 lists them."""
        return keys(self._bucket, prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        """The next part, up to its `/`, of all keys that begin with `prefix`."""
        return folders(self._bucket, prefix)

    def read(self, key: str) -> bytes:
        """The bytes under `key`."""
        return read(self._bucket, key)

    def write(self, key: str, body: bytes) -> None:
        """Put `body` under `key`; S3 has it, whole, when this returns."""
        client().put_object(Bucket=self._bucket, Key=key, Body=body)
