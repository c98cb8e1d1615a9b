"""The scores of a whole run, and where the container's own figures are not what its rows say."""

from pathlib import Path

import pytest

from nova_judge.scoring.files import Details, ScoreFiles
from nova_judge.scoring.jobs import PlannedJob
from nova_judge.scoring.results import FinishedJob, score_run
from tests.unit.scoring.test_container_scores import details, results
from tests.unit.scoring.test_scoring_recipe import shipped

JOB = PlannedJob(number=0, api="nova", subject="base", label="nova-micro/prod")
HISTORY = ["{'accuracy': 1.0}", "{'accuracy': 1.0}", "{'accuracy': 1.0}"]
PHYSICS = ["{'accuracy': 0.0}"]


@pytest.mark.parametrize(
    ("reported", "notes"),
    [
        (0.75, ()),
        (
            0.5,
            (
                "base: the container reports accuracy 0.5000, where every sub-task counts alike; "
                "0.7500 is the mean of all rows",
            ),
        ),
        (0.9, ("base: the container reports accuracy 0.9000, its rows give 0.7500",)),
    ],
    ids=["of all rows", "of sub-tasks", "of neither"],
)
def test_a_container_that_says_otherwise_is_noted(
    tmp_path: Path, reported: float, notes: tuple[str, ...]
) -> None:
    held = []
    for name, rows in (("history", HISTORY), ("physics", PHYSICS)):
        folder = tmp_path / name
        folder.mkdir()
        held.append(Details(f"mmlu:{name}", details(folder, *rows)))
    files = ScoreFiles(
        results=(results(tmp_path, {"all": {"accuracy": reported}}),), details=tuple(held)
    )
    found = score_run(shipped("benchmark-mmlu"), [FinishedJob(JOB, files)])
    assert found.notes == notes
    assert found.table.mean_of("base", "accuracy") == 0.75
    assert found.stand_in is None
