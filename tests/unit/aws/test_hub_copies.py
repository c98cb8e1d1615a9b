"""A gated model is copied once, in pieces, with a key that goes to the Hub alone."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nova_judge.aws import hub_copies
from nova_judge.aws.hub_copies import HubModel, copy_more
from nova_judge.errors import EndpointError
from nova_judge.layout import copy_folder
from tests.made.serving import serving

FILES = {
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "model.safetensors": b"weights" * 1000,
    "pytorch_model.bin": b"the same again",
    "original/consolidated.pth": b"and again",
}
SIZES = {}
"""What the Hub says of a file, where that is not so."""
WANTED = ["config.json", "model.safetensors", "tokenizer.json"]
GATED = HubModel("meta/Model", "refs/pr/1", "hf_key")
FOLDER = "runs/_weights/meta/Model/refs/pr/1/"


@pytest.fixture
def hub(monkeypatch):
    """A Hub that gives nothing without the key, and sends files from another host."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("authorization")))
            host = self.headers["host"]
            if self.path.startswith("/cdn/"):
                self.answer(200, FILES[self.path.removeprefix("/cdn/")])
            elif self.headers.get("authorization") != "Bearer hf_key":
                self.answer(403, b"")
            elif self.path == "/api/models/meta/Model/revision/refs%2Fpr%2F1?blobs=true":
                files = [
                    {"rfilename": name, "size": SIZES.get(name, len(body))}
                    for name, body in FILES.items()
                ]
                self.answer(200, json.dumps({"siblings": files}).encode())
            else:
                name = self.path.removeprefix("/meta/Model/resolve/refs%2Fpr%2F1/")
                self.send_response(302)
                other = host.replace("127.0.0.1", "localhost")
                self.send_header("location", f"http://{other}/cdn/{name}")
                self.end_headers()

        def answer(self, status, body):
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        monkeypatch.setattr(hub_copies, "HUB", f"http://127.0.0.1:{server.server_port}")
        yield asked


def copied(bucket):
    listed = bucket.list_objects_v2(Bucket="data", Prefix=FOLDER).get("Contents", [])
    return [item["Key"].removeprefix(FOLDER) for item in listed]


def test_the_weights_in_one_form_are_copied_and_the_key_stays_with_the_hub(bucket, hub):
    assert copy_more(GATED, "data", lambda: 900.0)
    assert copied(bucket) == WANTED
    body = bucket.get_object(Bucket="data", Key=f"{FOLDER}model.safetensors")["Body"].read()
    assert body == FILES["model.safetensors"]
    assert {key for path, key in hub if path.startswith("/cdn/")} == {None}


def test_what_is_there_is_not_copied_again_and_half_a_file_is(bucket, hub):
    bucket.put_object(Bucket="data", Key=f"{FOLDER}config.json", Body=FILES["config.json"])
    bucket.put_object(Bucket="data", Key=f"{FOLDER}model.safetensors", Body=b"half")
    assert copy_more(GATED, "data", lambda: 900.0)
    assert sorted(path for path, _ in hub if path.startswith("/cdn/")) == [
        "/cdn/model.safetensors",
        "/cdn/tokenizer.json",
    ]


def test_without_time_the_rest_is_left_to_the_next_call(bucket, hub):
    times = iter([900.0, 100.0])
    assert not copy_more(GATED, "data", lambda: next(times))
    assert copied(bucket) == WANTED[:1]
    assert copy_more(GATED, "data", lambda: 900.0)
    assert copied(bucket) == WANTED


def test_a_licence_that_nobody_accepted_is_said(bucket, hub):
    with pytest.raises(EndpointError, match=r"HTTP 403.*accept its licence") as refused:
        copy_more(GATED._replace(key="other"), "data", lambda: 900.0)
    assert "other" not in str(refused.value)


def test_a_file_of_another_size_than_the_hub_says_is_refused(bucket, hub, monkeypatch):
    """It was copied again at each call, for ever."""
    monkeypatch.setitem(SIZES, "config.json", 5)
    with pytest.raises(
        EndpointError, match=r"config\.json came with 2 bytes, where the Hub says 5"
    ):
        copy_more(GATED, "data", lambda: 900.0)


def test_each_revision_has_a_folder_of_its_own():
    assert copy_folder("meta/Model", "a/b") != copy_folder("meta/Model", "a-b")
