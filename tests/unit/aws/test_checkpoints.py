"""A folder in S3, or a model of the Hub, tells what a server would load."""

import json

import pytest

from nova_judge.aws import checkpoints
from nova_judge.check import NotRead
from nova_judge.sources.checkpoint import AdapterShape

CONFIG = {
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "num_hidden_layers": 28,
    "hidden_size": 3584,
    "torch_dtype": "bfloat16",
    "architectures": ["Qwen2ForCausalLM"],
}


def put(bucket, files):
    for name, content in files.items():
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        bucket.put_object(Bucket="data", Key=f"ckpt/{name}", Body=body)
    return checkpoints.in_s3("s3://data/ckpt/")


GOOD = {"config.json": CONFIG, "tokenizer.json": {}, "model.safetensors": b"12345"}


def test_a_folder_tells_bytes_and_heads(bucket):
    found = put(bucket, GOOD)
    assert (found.weight_bytes, found.problem) == (5, "")
    assert (found.shape.num_attention_heads, found.shape.num_key_value_heads) == (28, 4)


def test_the_index_counts_before_the_files(bucket):
    index = {"metadata": {"total_size": 4711}, "weight_map": {}}
    assert put(bucket, GOOD | {"model.safetensors.index.json": index}).weight_bytes == 4711


def test_other_bytes_are_another_version(bucket):
    first = put(bucket, GOOD).version
    assert put(bucket, GOOD).version == first
    assert put(bucket, {"model.safetensors": b"54321"}).version != first


def test_an_adapter_tells_its_rank_and_its_base(bucket):
    adapter = {"r": 16, "base_model_name_or_path": "Qwen/Qwen2.5-7B", "peft_type": "LORA"}
    found = put(bucket, {"adapter_config.json": adapter, "adapter_model.safetensors": b"1"})
    assert found.adapter == AdapterShape(16, "Qwen/Qwen2.5-7B")
    assert found.problem == ""


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "it holds nothing"),
        ({"a": b""} | GOOD | {"": b""}, "the marker of a folder (/)"),
        (GOOD | {"code/": b""}, "the marker of a folder (code/)"),
        ({"hf_merged/config.json": CONFIG}, "hf_merged/ below it may be meant"),
        ({"config.json": CONFIG, "model.safetensors": b"1"}, "holds no tokenizer"),
        (GOOD | {"a": b"1", "a/b": b"2"}, "does not take the name a in it"),
    ],
)
def test_a_folder_that_cannot_be_loaded_says_why(bucket, files, words):
    assert words in put(bucket, files).problem


@pytest.mark.parametrize("config", [b"[]", b"{", b'{"num_attention_heads": "many"}', b"\xff"])
def test_a_config_of_another_form_tells_no_shape(bucket, config):
    found = put(bucket, GOOD | {"config.json": config})
    assert (found.problem, found.shape.num_attention_heads, found.weight_bytes) == ("", 0, 5)


class Hub:
    """The Hub's answers by path."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def __call__(self, **_):
        return self

    def request(self, method, url, redirect):
        path = url.removeprefix("https://huggingface.co/")
        self.asked.append(path)
        content = self.answers.get(path)

        class Answer:
            status = 200 if content is not None else 401
            data = content or b""

        return Answer()


def test_a_model_of_the_hub_is_read_at_its_revision(monkeypatch):
    files = [{"rfilename": name, "size": 7} for name in GOOD]
    told = json.dumps({"siblings": files}).encode()
    hub = Hub(
        {
            "api/models/Qwen/Q/revision/refs%2Fpr%2F1?blobs=true": told,
            "Qwen/Q/resolve/refs%2Fpr%2F1/config.json": json.dumps(CONFIG).encode(),
        }
    )
    monkeypatch.setattr(checkpoints.urllib3, "PoolManager", hub)
    found = checkpoints.on_the_hub("Qwen/Q", "refs/pr/1")
    assert (found.weight_bytes, found.shape.num_attention_heads) == (7, 28)


@pytest.mark.parametrize("told", [None, b"[]", b'{"siblings": [{}]}', b"<html>"])
def test_a_hub_that_does_not_tell_is_no_answer(monkeypatch, told):
    answers = {} if told is None else {"api/models/Qwen/Q/revision/v1?blobs=true": told}
    monkeypatch.setattr(checkpoints.urllib3, "PoolManager", Hub(answers))
    assert isinstance(checkpoints.on_the_hub("Qwen/Q", "v1"), NotRead)
