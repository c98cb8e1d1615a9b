"""The bucket as the store in which journals keep their chunks."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class BucketObjects:
    """`answer_store.Objects` in one bucket. The client may retry: its writes are idempotent."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keys(self, prefix: str) -> Iterable[str]:
        """All keys that begin with `prefix`, sorted as S3 lists them."""
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (item["Key"] for item in page.get("Contents", []))

    def folders(self, prefix: str) -> Iterable[str]:
        """The next part, up to its `/`, of all keys that begin with `prefix`."""
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
            for folder in page.get("CommonPrefixes", []):
                yield folder["Prefix"].removeprefix(prefix).removesuffix("/")

    def read(self, key: str) -> bytes:
        """The bytes under `key`."""
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def write(self, key: str, body: bytes) -> None:
        """Put `body` under `key`; S3 has it, whole, when this returns."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
