"""Metrics of a completed and of a failed run, as the report reads them."""

import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[2] / "data" / "report"


@pytest.fixture
def rubric_metrics() -> dict[str, Any]:
    return json.loads((DATA / "rubric.json").read_text())


@pytest.fixture
def failed_metrics() -> dict[str, Any]:
    return json.loads((DATA / "failed.json").read_text())
