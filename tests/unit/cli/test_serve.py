"""`nova-judge serve` finds the runs that it is to show."""

from types import SimpleNamespace

import pytest

from nova_judge.cli import serve


class _OpenedError(Exception):
    pass


def test_a_stage_stands_for_its_bucket(monkeypatch):
    def mirror(folder):
        raise _OpenedError(folder)

    deployed = {"prod": SimpleNamespace(bucket="data-of-prod")}
    monkeypatch.setattr(serve.submissions, "deployed", deployed.__getitem__)
    monkeypatch.setattr(serve, "RunMirror", mirror)

    with pytest.raises(_OpenedError, match=r"^s3://data-of-prod/$"):
        serve.command(stage="prod")
