"""A stage's own runs say how fast its judge is, where they can."""

import pytest

from nova_judge.findings.index_entry import IndexEntry, judged_before
from nova_judge.kinds.recipes import load_recipe
from nova_judge.preflight.expected_usage import JudgedBefore, Throughput, throughput_of
from nova_judge.preflight.forecast import estimate_run
from nova_judge.recipe.files import packaged_recipe
from nova_judge.runs.usage import Workload

PAIRWISE = load_recipe(packaged_recipe("pairwise"), file="pairwise.yaml")


def test_start_and_speed_are_found_in_runs_of_several_sizes():
    runs = [JudgedBefore(rows, 1, 300 + rows / 2) for rows in (100, 400, 2000)]
    found = throughput_of(runs)
    assert found is not None
    assert (found.start_s, found.row_s) == (pytest.approx(300), pytest.approx(0.5))
    assert found.words == (
        "the judge of 3 runs of this stage: 5.0 minutes to start a job, 2.00 rows a second "
        "(least squares)"
    )


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [JudgedBefore(100, 1, 350), JudgedBefore(400, 1, 500)],
        [JudgedBefore(100, 1, 350)] * 3,
        [JudgedBefore(100, 1, 400), JudgedBefore(400, 1, 300), JudgedBefore(900, 1, 200)],
    ],
)
def test_runs_that_do_not_tell_are_not_believed(runs):
    assert throughput_of(runs) is None


def test_an_estimate_takes_the_measured_speed_and_says_so():
    workload = Workload(rows=1000)
    assumed = estimate_run(PAIRWISE, workload)
    measured = estimate_run(PAIRWISE, workload, Throughput(300.0, 0.5, 4))
    judge = next(line for line in measured.likely.lines if line.part == "judge")
    assert judge.quantity == pytest.approx(800 / 3600)
    assert measured.hours == pytest.approx(800 / 3600)
    assert any("the judge of 4 runs of this stage" in text for text in measured.assumptions)
    assert measured.worst == assumed.worst
    assert not any("of this stage" in text for text in assumed.assumptions)


def test_only_runs_of_the_same_judge_that_were_billed_count():
    common = {"status": "REPORTED", "judged": 10, "judge_jobs": 1, "judge_seconds": 60.0}
    entries = [
        IndexEntry(run_id="a", judge="nova", **common),
        IndexEntry(run_id="b", judge="other", **common),
        IndexEntry(run_id="c", judge="nova", **{**common, "judge_seconds": None}),
    ]
    assert judged_before(entries, "nova") == [JudgedBefore(10, 1, 60.0)]
