"""Runs as the report reads them: real metrics of generated judgments, completed and failed."""

from typing import Any

import pytest

from nova_judge.records import JudgedRow
from nova_judge.results.metrics import failed_metrics

from . import generated


@pytest.fixture(scope="session")
def rows() -> list[JudgedRow]:
    return generated.judged_rows(240)


@pytest.fixture
def rubric_metrics(rows: list[JudgedRow]) -> dict[str, Any]:
    return generated.metrics(rows, generated.JOB)


@pytest.fixture
def failed_run_metrics() -> dict[str, Any]:
    return failed_metrics(generated.facts(240), "RunJudgeJobs", generated.FAILURE)
