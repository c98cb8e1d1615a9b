"""Objects arrive whole or not at all, in the version that was meant, a chunk at a time."""

import itertools
import tracemalloc

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from nova_judge.aws import s3
from nova_judge.errors import InputFileError
from nova_judge.recipe.files import MOST_BESIDE
from nova_judge.records import S3Object
from tests.unit.conftest import BUCKET


def uploads(account) -> list:
    return account.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])


def test_an_object_is_described_in_the_version_that_was_meant(account):
    first, second = account.put("x", b"one"), account.put("x", b"three")
    assert s3.describe(BUCKET, "x") == S3Object(BUCKET, "x", second, 5)
    assert s3.describe(BUCKET, "x", first) == S3Object(BUCKET, "x", first, 3)


@pytest.mark.parametrize("version", [None, "11111111-2222-3333-4444-555555555555"])
def test_an_object_that_is_not_there_is_named(account, version):
    with pytest.raises(InputFileError, match=r"s3://data/nothing does not exist.*upload it first"):
        s3.describe(BUCKET, "nothing", version)


def test_an_object_that_may_not_be_read_says_where_inputs_belong(account):
    with Stubber(s3.client()) as stub, pytest.raises(InputFileError, match="put it below inbox/"):
        stub.add_client_error("head_object", "403", http_status_code=403)
        s3.describe(BUCKET, "elsewhere/x.jsonl")


@pytest.mark.parametrize(
    ("head", "code", "words"),
    [
        (True, "403", "encrypted with a key that the stage's functions may not use"),
        (False, "AccessDenied", "encrypted with a key that the stage's functions may not use"),
        (False, "InvalidObjectState", "archive class of S3: restore it"),
    ],
)
def test_an_upload_that_cannot_be_read_says_why_and_not_where_it_lies(account, head, code, words):
    item = S3Object(BUCKET, "inbox/pairwise/q.jsonl", "v", 10)
    with Stubber(s3.client()) as stub, pytest.raises(InputFileError, match=words) as failed:
        operation = "head_object" if head else "get_object"
        stub.add_client_error(operation, code, http_status_code=403)
        if head:
            s3.describe(item.bucket, item.key)
        s3.head(item)
    assert "put it below inbox/" not in str(failed.value)


def test_what_we_wrote_ourselves_and_may_not_read_is_no_fault_of_the_input(account):
    item = S3Object(BUCKET, "runs/r/judge/0/rows.jsonl", "v", 10)
    with Stubber(s3.client()) as stub, pytest.raises(ClientError):
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        s3.head(item)


def test_only_an_object_that_is_not_there_is_none(account):
    assert s3.read_if_exists(BUCKET, "x") is None
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.read_if_exists("another-bucket", "x")


def test_of_what_somebody_else_wrote_no_more_is_read_than_it_may_hold(account):
    account.put("recipes/catalogue.yaml", b"x" * 5_000_000)
    assert s3.read_if_exists(BUCKET, "recipes/catalogue.yaml", MOST_BESIDE) == b"x" * 1_048_576


def test_the_old_version_is_read_though_there_is_a_new_one(account):
    account.put("x", b"0123456789")
    old = s3.describe(BUCKET, "x")
    account.put("x", b"overwritten")
    assert b"".join(s3.stream(old, 0)) == b"0123456789"
    assert b"".join(s3.stream(old, 4)) == b"456789"
    assert b"".join(s3.stream(old, 2, 5)) == b"234"
    assert list(s3.stream(old, 10)) == []
    assert s3.head(old, 3) == b"012"
    assert s3.head(old, 99) == b"0123456789"


def test_of_an_empty_object_nothing_is_asked(account):
    account.put("x", b"")
    item = s3.describe(BUCKET, "x")
    assert (s3.head(item), list(s3.stream(item, 0))) == (b"", [])


def test_a_stream_may_be_left_early(account):
    account.put("x", b"a" * (3 * s3.CHUNK))
    chunks = s3.stream(s3.describe(BUCKET, "x"), 0)
    assert len(next(iter(chunks))) == s3.CHUNK
    chunks.close()


def test_keys_are_listed_page_by_page(account):
    for number in range(1_005):
        account.put(f"answers/{number:04}", b"")
    account.put("other", b"")
    assert len(list(s3.keys(BUCKET, "answers/"))) == 1_005


@pytest.mark.parametrize("size", [0, 1, s3.PART - 1, s3.PART, s3.PART + 1, 2 * s3.PART + 5])
def test_a_written_object_holds_what_was_written(account, size):
    piece = bytes(range(256)) * 4_096
    pieces = itertools.islice(itertools.repeat(piece), size // len(piece))
    with s3.ObjectWriter(BUCKET, "x") as writer:
        for part in (*pieces, piece[: size % len(piece)]):
            writer.write(part)
    assert account.read("x") == (piece * (size // len(piece) + 1))[:size]
    assert uploads(account) == []


@pytest.mark.parametrize("size", [10, s3.PART + 10])
def test_what_fails_half_way_leaves_no_object_and_no_upload(account, size):
    def write() -> None:
        with s3.ObjectWriter(BUCKET, "x") as writer:
            writer.write(b"a" * size)
            raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        write()
    assert account.keys() == []
    assert uploads(account) == []


class _Sink:
    """An S3 client that keeps nothing."""

    def create_multipart_upload(self, **_: object) -> dict[str, str]:
        return {"UploadId": "u"}

    def upload_part(self, **_: object) -> dict[str, str]:
        return {"ETag": "e"}

    def complete_multipart_upload(self, **_: object) -> None:
        return None


def test_a_large_object_takes_the_memory_of_a_part(account, monkeypatch):
    monkeypatch.setattr(s3, "client", _Sink)
    tracemalloc.start()
    with s3.ObjectWriter(BUCKET, "x") as writer:
        for _ in range(200):
            writer.write(b"a" * (1 << 19))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * s3.PART
