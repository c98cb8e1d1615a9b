"""Every function answers a ping before anything else, and takes nothing else for one."""

from importlib import import_module
from pathlib import Path

import pytest

from lambdas.observability import PING
from nova_judge import __version__
from nova_judge.aws import live_probes

ROOT = Path(__file__).parents[3]
HANDLERS = sorted(
    file.stem for file in (ROOT / "lambdas").glob("*.py") if "def handler(" in file.read_text()
)


@pytest.mark.parametrize("name", HANDLERS)
def test_a_ping_is_answered_without_settings_or_aws(name, monkeypatch, context):
    monkeypatch.delenv("STAGE", raising=False)
    handler = import_module(f"lambdas.{name}").handler
    assert handler(dict(live_probes.PING), context) == {"pong": __version__}


def test_both_sides_mean_the_same_ping():
    assert live_probes.PING == PING
    assert len(HANDLERS) > 10
