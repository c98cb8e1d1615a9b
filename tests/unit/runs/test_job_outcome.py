"""How judge jobs and executions ended, from what AWS tells."""

import json
from pathlib import Path

import pytest

from nova_judge.errors import RequestError
from nova_judge.runs.execution_error import SHARD_FAILED, explain, failed_job
from nova_judge.runs.job_outcome import outcome_of_job, outcomes_of_event
from nova_judge.runs.training_job_request import started_by, training_job_name

EVENT = json.loads(
    (Path(__file__).parents[2] / "data" / "training_job_state_change.json").read_text()
)
OUTPUT = "s3://data/runs/questions-0123456789ab/judge/3/output/"
TIMES = {"TrainingStartTime": 1_583_831_889_050, "TrainingEndTime": 1_583_831_999_050}


def job(**changes):
    ours = {"OutputDataConfig": {"S3OutputPath": OUTPUT}}
    return {**EVENT["detail"], **ours, **changes}


def test_the_documented_event_is_read_with_times_as_texts():
    (outcome,) = outcomes_of_event({**EVENT, "detail": job()})
    assert (outcome.run_id, outcome.number) == ("questions-0123456789ab", 3)
    assert (outcome.status, outcome.failure, outcome.reason) == ("Completed", None, None)
    assert (outcome.started, outcome.ended) == (1_583_831_889_050, 1_583_831_889_050)
    assert (outcome.instance_type, outcome.instance_count) == ("InstanceType", 3)


def test_the_documented_event_itself_is_no_job_of_ours():
    with pytest.raises(RequestError, match="S3OutputPath: not a run of ours"):
        outcomes_of_event(EVENT)


def test_times_as_numbers_are_the_same():
    outcome = outcome_of_job(job(**TIMES))
    assert (outcome.started, outcome.ended) == tuple(TIMES.values())


def test_times_as_the_sdk_integration_writes_them_are_the_same():
    iso = {"TrainingStartTime": "2020-03-10T09:18:09.050Z", "TrainingEndTime": None}
    outcome = outcome_of_job(job(**iso))
    assert (outcome.started, outcome.ended) == (TIMES["TrainingStartTime"], None)


def test_a_job_that_never_began_has_no_times():
    never = {k: v for k, v in job().items() if k not in TIMES}
    assert outcome_of_job(never).started is None


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        (
            {"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: out of memory"},
            "Failed: AlgorithmError: out of memory",
        ),
        (
            {"TrainingJobStatus": "Failed", "SecondaryStatusTransitions": []},
            "Failed: no reason was given",
        ),
        (
            {"TrainingJobStatus": "Stopped", "SecondaryStatus": "Stopped"},
            "Stopped: it was stopped before it was done; CloudTrail's StopTrainingJob names who "
            "did. An aborted execution, `nova-judge stop` and the watchdog stop jobs too",
        ),
        (
            {
                "TrainingJobStatus": "Stopped",
                "SecondaryStatus": "MaxRuntimeExceeded",
                "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            },
            "Stopped: it reached judge.max_runtime_s (3,600 s): raise it in the recipe, or give "
            "each job fewer rows with judge.max_rows_per_job",
        ),
        (
            {
                "TrainingJobStatus": "Failed",
                "SecondaryStatus": "Failed",
                "SecondaryStatusTransitions": [{"Status": "Interrupted"}, {"Status": "Failed"}],
            },
            "Failed: its spot instance was taken away",
        ),
        (
            {"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxWaitTimeExceeded"},
            "Stopped: no spot instance was free within the longest wait",
        ),
        (
            {"TrainingJobStatus": "Failed", "FailureReason": "CapacityError: no capacity"},
            "Failed: CapacityError: no capacity; try later, with another judge.instance_type, or "
            "in another region",
        ),
        (
            {"TrainingJobStatus": "Stopped", "FailureReason": "max runtime exceeded"},
            "Stopped: max runtime exceeded",
        ),
    ],
)
def test_failed_and_stopped_are_failures_with_their_reason(changes, failure):
    assert outcome_of_job(job(**changes)).failure.endswith(failure)


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_that_has_not_ended_has_no_outcome(status):
    with pytest.raises(RequestError, match="has not ended"):
        outcome_of_job(job(TrainingJobStatus=status))


def test_a_job_is_known_to_belong_to_the_execution_that_started_it():
    name = training_job_name("nova-judge-dev", "questions-0123456789ab", "arn:first", 12)
    for started in (name, f"{name}-0", f"{name}-3"):
        assert started_by("arn:first", started)
        assert not started_by("arn:second", started)


# --- why an execution failed -------------------------------------------------------------------


def caught(error, cause):
    return {"Error": error, "Cause": cause if isinstance(cause, str) else json.dumps(cause)}


@pytest.mark.parametrize(
    ("error", "stage"),
    [
        ("RequestError", "request"),
        ("RecipeError", "recipe"),
        ("InputFileError", "input"),
        ("GenerationFailedError", "generation"),
        ("JudgeJobError", "judge"),
        ("ReportMissing", "results"),
        ("KeyError", "evaluation"),
    ],
)
def test_a_functions_error_is_told_in_its_own_words(error, stage):
    said = {"errorType": error, "errorMessage": "line 3: not JSON", "stackTrace": ["..."]}
    assert explain(caught(error, said)) == (error, "line 3: not JSON", stage)


def test_a_functions_name_for_its_error_counts_more_than_lambdas():
    said = {"errorType": "RecipeError", "errorMessage": "no such recipe"}
    assert explain(caught("Lambda.Unknown", said)).error == "RecipeError"


def test_a_judge_jobs_cause_is_reduced_to_its_reason():
    described = job(TrainingJobStatus="Failed", FailureReason="out of memory", **TIMES)
    found = explain(caught("States.TaskFailed", described))
    name = EVENT["detail"]["TrainingJobName"]
    assert found == ("JudgeJobError", f"judge job {name} Failed: out of memory", "judge")


def test_a_serverless_job_that_stopped_is_a_sentence_and_a_job_of_ours():
    """The SDK integration writes times as ISO texts."""
    described = job(
        TrainingJobName="x",
        TrainingJobStatus="Stopped",
        SecondaryStatus="MaxRuntimeExceeded",
        TrainingStartTime="2026-11-21T10:00:00.123Z",
        TrainingEndTime="2026-11-21T11:00:00.123Z",
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )
    found = caught("JudgeJobError", described)
    assert explain(found).cause.startswith(
        "judge job x Stopped: it reached judge.max_runtime_s (3,600 s)"
    )
    outcome = failed_job(found)
    assert outcome is not None
    assert (outcome.name, outcome.ended - outcome.started) == ("x", 3_600_000)


@pytest.mark.parametrize(
    "described",
    [
        {"TrainingJobName": "x", "FailureReason": "out of memory"},
        job(TrainingJobName="x", TrainingJobStatus="Stopping", FailureReason="out of memory"),
        job(TrainingJobName="x", TrainingStartTime="soon", FailureReason="out of memory"),
    ],
)
def test_a_description_that_cannot_be_read_still_gives_its_reason(described):
    assert explain(caught("States.TaskFailed", described))[:2] == (
        "JudgeJobError",
        "judge job x: out of memory",
    )


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        ("SageMaker.ResourceLimitExceededException", "quota is 0", "judge"),
        ("States.Timeout", "", "evaluation"),
        (SHARD_FAILED, "The specified tolerated failure threshold was exceeded", "evaluation"),
        ("X", "[1, 2]", "evaluation"),
        ("X", '{"other": 1}', "evaluation"),
    ],
)
def test_any_other_cause_is_told_as_it_is(error, cause, expected):
    assert explain(caught(error, cause)) == (error, cause or "no cause was given", expected)


def test_nothing_caught_is_said_to_be_unknown():
    assert explain({}) == ("Unknown", "no cause was given", "evaluation")
