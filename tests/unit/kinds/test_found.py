"""The scores of a whole run, and where the container's own figures are not what its rows say."""

import tarfile
from pathlib import Path

import msgspec
import pytest

from nova_judge.errors import JudgeJobError
from nova_judge.inputs.own_data import OwnRow
from nova_judge.kinds.job import FinishedJob, PlannedJob
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.records import Unscored
from nova_judge.runs.archive import fetch
from nova_judge.runs.job_output import Details, JobOutput
from nova_judge.scores.found import ScoresFound
from tests.unit.kinds.test_jobs import run
from tests.unit.kinds.test_known_kinds import shipped
from tests.unit.scores.test_container_scores import details, inference, results

JOB = PlannedJob(number=0, api="nova", subject="base", label="nova-micro/prod")
HISTORY = ["{'accuracy': 1.0}", "{'accuracy': 1.0}", "{'accuracy': 1.0}"]
PHYSICS = ["{'accuracy': 0.0}"]


def found_in(recipe: str, job: FinishedJob) -> ScoresFound:
    asked = run(shipped(recipe))
    return kind_of(asked.recipe.kind).results(asked, [job])


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
    files = JobOutput(
        results=(results(tmp_path, {"all": {"accuracy": reported}}),), details=tuple(held)
    )
    found = found_in("benchmark-mmlu", FinishedJob(JOB, files))
    assert found.notes == notes
    assert found.table.mean_of("base", "accuracy") == 0.75
    assert found.stand_in is None


def test_a_row_without_a_score_of_the_scorer_is_unscored_by_it(tmp_path: Path) -> None:
    rows = [OwnRow(line, f"line-{line}", "q", "Rome") for line in (1, 2, 4)]
    sent = tmp_path / "rows.jsonl"
    sent.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    answered = {"prompt": "q", "inference": "Rome", "gold": "Rome"}
    files = inference(tmp_path, *[answered] * len(rows))._replace(
        results=(results(tmp_path, {"all": {"em": 1.0, "mine": 0.5}}),),
        details=(Details("", details(tmp_path, "{'em': 1.0, 'mine': 0.5}", *["{'em': 1.0}"] * 2)),),
    )
    found = found_in("scorer-own", FinishedJob(JOB, files, sent))
    mine = {score.row: score.result for score in found.scores if score.metric == "mine"}
    assert mine == dict.fromkeys((2, 4), Unscored("the scorer gave no score")) | {1: 0.5}
    assert {score.result for score in found.scores if score.metric == "em"} == {1.0}


def test_an_archive_without_details_says_what_it_holds(tmp_path: Path) -> None:
    inside = tmp_path / "results_1.json"
    inside.write_text("{}")
    with tarfile.open(tmp_path / "packed.tar.gz", "w:gz") as archive:
        archive.add(inside, "run/eval_results/results_1.json")
    output = fetch(
        ["job/output/output.tar.gz"],
        lambda _, target: target.write_bytes((tmp_path / "packed.tar.gz").read_bytes()),
        tmp_path / "job",
    )
    asked = run(shipped("pairwise"))
    (job,) = kind_of(asked.recipe.kind).jobs(asked, 1)
    with pytest.raises(JudgeJobError, match=r"0 details Parquet instead of one.*results_1\.json"):
        kind_of(asked.recipe.kind).results(
            asked, [FinishedJob(job, output, tmp_path / "rows.jsonl")]
        )
