"""A shard's answers reach the bucket one by one, however long they are."""

from types import SimpleNamespace

from nova_judge.answers.answers import Answer, FailedAnswer
from nova_judge.aws import s3
from nova_judge.inputs.dataset import Shard
from nova_judge.runs.row_accounting import Response, decode_responses
from nova_judge.steps import shard_files


def test_responses_are_written_as_they_are_taken(monkeypatch):
    written, ahead = [], []

    class ObjectWriter:
        def __init__(self, bucket, key):
            assert key == "runs/run/responses/A/00003.jsonl"

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def write(self, data):
            written.append(data)

    def outcomes():
        for outcome in (Answer("x", tries=7, latency_s=1.5), FailedAnswer("503", 1), Answer("y")):
            ahead.append(len(written))
            yield outcome

    monkeypatch.setattr(s3, "ObjectWriter", ObjectWriter)
    run = SimpleNamespace(run_id="run")
    shard_files.write_responses("bucket", run, Shard(3, 0, 9), "A", outcomes())

    assert ahead == [0, 1, 2]
    assert list(decode_responses(b"".join(written).splitlines())) == [
        Response(answer=Answer("x")),
        Response(failed=FailedAnswer("503", 1)),
        Response(answer=Answer("y")),
    ]
