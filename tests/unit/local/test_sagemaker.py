"""The SageMaker stand-in without the engine: validation, life cycles, faults, events."""

import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from nova_judge_local.emulator_settings import EmulatorSettings, EndpointFault, JobFault
from nova_judge_local.judges.model_answers import answers_from
from nova_judge_local.sagemaker import hosted_models
from nova_judge_local.sagemaker.api import ApiError, SageMakerApi
from nova_judge_local.sagemaker.hosted_models import EmulatedHosting
from nova_judge_local.sagemaker.training_jobs import FINAL, Container, TrainingJobs

DOCUMENTED = Path(__file__).parents[2] / "data" / "training_job_state_change.json"
ROLE = "arn:aws:iam::123456789012:role/service"
MODEL = "Qwen/Qwen2.5-1.5B-Instruct"
BODY = json.dumps({"messages": [{"role": "user", "content": "p"}]}).encode()


def _hosting(tmp_path, **settings):
    answers = tmp_path / "answers.jsonl"
    answers.write_text(json.dumps({"model": MODEL, "prompt": "p", "response": "r"}), "utf-8")
    hosting = EmulatedHosting(
        EmulatorSettings(**{"endpoint_start_s": 0.05, **settings}),
        answers_from([str(answers)], None),
        lambda: None,
    )
    api = SageMakerApi(hosting.operations(), hosting.invoke)
    container = {"Image": "image", "Environment": {"SM_VLLM_MODEL": MODEL}}
    model = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    variant = {
        "VariantName": "v",
        "ModelName": "m",
        "InstanceType": "ml.g5.xlarge",
        "InitialInstanceCount": 1,
    }
    api.call("CreateModel", model)
    config = {"EndpointConfigName": "c", "ProductionVariants": [variant]}
    api.call("CreateEndpointConfig", config)
    return api, hosting


def _create(api, name="e", wait=True):
    api.call("CreateEndpoint", {"EndpointName": name, "EndpointConfigName": "c"})
    while wait and _status(api, name) == "Creating":
        time.sleep(0.01)


def _status(api, name="e"):
    return api.call("DescribeEndpoint", {"EndpointName": name})["EndpointStatus"]


def test_an_endpoint_is_created_serves_and_goes(tmp_path, monkeypatch):
    moments = [datetime(2026, 11, 29, tzinfo=UTC)]
    monkeypatch.setattr(hosted_models, "now", lambda: moments[-1])
    api, hosting = _hosting(tmp_path)
    _create(api, wait=False)

    assert _status(api) == "Creating"
    with pytest.raises(ApiError, match="Endpoint e of account 123456789012 not found"):
        hosting.invoke("e", None, BODY)
    _create_again = {"EndpointName": "e", "EndpointConfigName": "c"}
    with pytest.raises(ApiError, match="Cannot create already existing endpoint"):
        api.call("CreateEndpoint", _create_again)
    moments.append(moments[-1] + timedelta(seconds=0.05))
    assert json.loads(hosting.invoke("e", None, BODY))["choices"][0]["message"]["content"] == "r"
    api.call("DeleteEndpoint", {"EndpointName": "e"})
    assert _status(api) == "Deleting"
    with pytest.raises(ApiError, match="not found"):
        hosting.invoke("e", None, BODY)
    moments.append(moments[-1] + timedelta(seconds=0.05))
    assert api.call("ListEndpoints", {}) == {"Endpoints": []}
    with pytest.raises(ApiError, match="Could not find endpoint"):
        _status(api)


def test_a_configuration_of_a_model_that_is_not_there_is_refused(tmp_path):
    api, _ = _hosting(tmp_path)
    variant = {"VariantName": "v", "ModelName": "gone", "InstanceType": "ml.g5.xlarge"}
    config = {"EndpointConfigName": "d", "ProductionVariants": [variant]}
    with pytest.raises(ApiError, match='Could not find model "gone"'):
        api.call("CreateEndpointConfig", config)
    with pytest.raises(ApiError, match="Could not find endpoint-config"):
        api.call("DescribeEndpointConfig", {"EndpointConfigName": "d"})


def test_an_endpoint_without_capacity_fails_with_awss_reason(tmp_path):
    fault = EndpointFault(endpoint="e", creation="no_capacity", times=1)
    api, _ = _hosting(tmp_path, endpoint_faults=(fault,))
    _create(api)

    described = api.call("DescribeEndpoint", {"EndpointName": "e"})
    _create(api, "e2")

    assert described["EndpointStatus"] == "Failed"
    assert "InsufficientInstanceCapacity" in described["FailureReason"]
    assert _status(api, "e2") == "InService"  # the fault was used up


def test_a_refused_endpoint_leaves_nothing(tmp_path):
    api, _ = _hosting(tmp_path, endpoint_faults=(EndpointFault(creation="refused"),))

    with pytest.raises(ApiError) as told:
        _create(api)

    assert told.value.code == "ResourceLimitExceeded"
    assert api.call("ListEndpoints", {}) == {"Endpoints": []}


def test_every_nth_call_is_throttled(tmp_path):
    api, hosting = _hosting(tmp_path, endpoint_faults=(EndpointFault(every=3, times=2),))
    _create(api)

    def outcome():
        try:
            hosting.invoke("e", None, BODY)
        except ApiError as error:
            return error.status
        return 200

    assert [outcome() for _ in range(10)] == [200, 200, 429, 200, 200, 429, 200, 200, 200, 200]


def test_calls_beyond_the_slots_are_throttled(tmp_path):
    fault = EndpointFault(max_in_flight=2, latency_s=0.2)
    api, hosting = _hosting(tmp_path, endpoint_faults=(fault,))
    _create(api)
    outcomes = []

    def call():
        try:
            hosting.invoke("e", None, BODY)
            outcomes.append(200)
        except ApiError as error:
            outcomes.append(error.status)

    threads = [threading.Thread(target=call) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [200, 200, 429, 429, 429]


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("CreateEndpoint", {"EndpointName": "e"}, "ValidationException"),
        ("CreateEndpoint", {"EndpointName": 1, "EndpointConfigName": "c"}, "ValidationException"),
        ("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "x"}, "ValidationException"),
        ("CreateModel", {"ModelName": "m"}, "ValidationException"),
        ("DescribeModel", {"ModelName": "x"}, "ValidationException"),
        ("CreateTransformJob", {}, "UnknownOperationException"),
    ],
)
def test_what_aws_refuses_is_refused(tmp_path, operation, parameters, code):
    api, _ = _hosting(tmp_path)

    with pytest.raises(ApiError) as told:
        api.call(operation, parameters)

    assert told.value.code == code


def test_tags_are_kept_and_listed(tmp_path):
    api, _ = _hosting(tmp_path)
    tags = [{"Key": "run", "Value": "1"}]
    made = api.call(
        "CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c", "Tags": tags}
    )

    assert api.call("ListTags", {"ResourceArn": made["EndpointArn"]}) == {"Tags": tags}


def test_errors_over_http_carry_their_code_in_the_header(tmp_path):
    api, _ = _hosting(tmp_path)

    answer = api.http("POST", "/endpoints/none/invocations", {}, BODY)

    assert answer.status == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationError"


SCRIPT = """
import json, pathlib, sys, time
root = pathlib.Path(sys.argv[2])
mode = json.loads((root / "input/config/hyperparameters.json").read_text()).get("mode")
if mode == "fail":
    (root / "output/failure").write_text("no such task")
    sys.exit(3)
if mode == "crash":
    raise SystemExit("out of memory")
if mode == "sleep":
    print("asleep", flush=True)
    time.sleep(60)
(root / "output/data/result.txt").write_text((root / "input/data/train/rows.jsonl").read_text())
"""


class Jobs:
    """Training jobs on moto's S3, with everything that they published."""

    def __init__(self, folder, s3, **settings):
        self.events = []
        script = folder / "container.py"
        script.write_text(SCRIPT, "utf-8")
        container = Container([sys.executable, str(script)], {}, folder)
        chosen = EmulatorSettings(**{"job_start_s": 0.0, **settings})
        self.jobs = TrainingJobs(chosen, container, s3, self.events.append)
        self.api = SageMakerApi(self.jobs.operations(), lambda name, body: b"")

    def create(self, name="job", train="data/rows.jsonl", limit=60, **more):
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://bucket/{train}"}
        return self.api.call(
            "CreateTrainingJob",
            {
                "TrainingJobName": name,
                "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "image"},
                "RoleArn": ROLE,
                "InputDataConfig": [
                    {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
                ],
                "OutputDataConfig": {"S3OutputPath": "s3://bucket/out/"},
                "ResourceConfig": {
                    "InstanceType": "ml.g5.12xlarge",
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 30,
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": limit},
                "Tags": [{"Key": "run", "Value": "r1"}],
                **more,
            },
        )

    def describe(self, name="job"):
        return self.api.call("DescribeTrainingJob", {"TrainingJobName": name})

    def ended(self, name="job"):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            job = self.describe(name)
            if (
                job["TrainingJobStatus"] in FINAL
                and self.events[-1]["Detail"]["TrainingJobStatus"] in FINAL
            ):
                return job
            time.sleep(0.01)
        raise AssertionError("the job did not end")

    def statuses(self):
        return [event["Detail"]["SecondaryStatus"] for event in self.events]


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="data/rows.jsonl", Body=b"rows")
        made = []

        def start(**settings):
            made.append(Jobs(tmp_path, s3, **settings))
            return made[-1]

        start.s3 = s3
        yield start
        for one in made:
            one.jobs.kill_all()


def _keys(s3):
    return [e["Key"] for e in s3.list_objects_v2(Bucket="bucket", Prefix="out/")["Contents"]]


def test_a_job_completes_through_awss_states_and_leaves_its_archives(jobs):
    started = jobs()
    started.create()

    job = started.ended()

    assert job["TrainingJobStatus"] == "Completed"
    assert started.statuses() == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert _keys(jobs.s3) == ["out/job/output/model.tar.gz", "out/job/output/output.tar.gz"]
    assert job["BillableTimeInSeconds"] >= 1
    assert "Tags" not in job


def test_files_are_uploaded_plainly_where_compression_is_off(jobs):
    started = jobs()
    output = {"S3OutputPath": "s3://bucket/out", "CompressionType": "NONE"}
    started.create(OutputDataConfig=output)
    started.ended()

    assert _keys(jobs.s3) == ["out/job/output/output/result.txt"]


def test_events_have_the_form_that_is_documented(jobs):
    started = jobs()
    started.create(HyperParameters={"mode": "fail"})
    started.ended()
    literal = json.loads(DOCUMENTED.read_text("utf-8"))

    event = started.events[-1]

    assert event["Source"] == literal["source"]
    assert event["DetailType"] == literal["detail-type"]
    assert set(event["Detail"]) == {*literal["detail"], "FailureReason"}
    kinds = {key: type(value) for key, value in literal["detail"].items()}
    assert {key: type(event["Detail"][key]) for key in kinds} == kinds
    assert event["Detail"]["Tags"] == {"run": "r1"}
    assert 1_000_000_000_000 < int(event["Detail"]["TrainingEndTime"]) < 100_000_000_000_000


def test_a_container_that_fails_gives_the_reason_that_it_wrote(jobs):
    started = jobs()
    started.create(HyperParameters={"mode": "fail"})

    job = started.ended()

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: no such task, exit code: 3"


def test_a_container_that_dies_gives_the_last_thing_it_wrote(jobs):
    started = jobs()
    started.create(HyperParameters={"mode": "crash"})

    assert started.ended()["FailureReason"] == "AlgorithmError: out of memory, exit code: 1"


def test_a_job_can_be_stopped_once_it_runs(jobs, tmp_path):
    started = jobs()
    started.create(HyperParameters={"mode": "sleep"})
    log = tmp_path / "job.log"
    deadline = time.monotonic() + 20
    while not (log.exists() and log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)

    started.api.call("StopTrainingJob", {"TrainingJobName": "job"})
    job = started.ended()

    assert job["TrainingJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    with pytest.raises(ApiError, match="in status Stopped"):
        started.api.call("StopTrainingJob", {"TrainingJobName": "job"})


def test_a_job_over_its_time_is_stopped(jobs):
    started = jobs()
    started.create(HyperParameters={"mode": "sleep"}, limit=1)

    assert started.ended()["TrainingJobStatus"] == "Stopped"


@pytest.mark.parametrize(("outcome", "status"), [("failed", "Failed"), ("stopped", "Stopped")])
def test_faults_end_a_job_as_often_as_they_say(jobs, outcome, status):
    fault = JobFault(job="job", outcome=outcome, reason="CapacityError: none left", times=1)
    started = jobs(job_faults=(fault,))
    started.create()
    job = started.ended()
    started.create("job-again")

    assert job["TrainingJobStatus"] == status
    assert job.get("FailureReason") == ("CapacityError: none left" if status == "Failed" else None)
    assert started.ended("job-again")["TrainingJobStatus"] == "Completed"


def test_a_job_can_be_refused_for_want_of_quota(jobs):
    reason = "The account-level service limit is 0 Instances."
    started = jobs(job_faults=(JobFault(outcome="refused", reason=reason),))

    with pytest.raises(ApiError, match="account-level service limit") as told:
        started.create()

    assert told.value.code == "ResourceLimitExceeded"
    assert started.api.call("ListTrainingJobs", {}) == {"TrainingJobSummaries": []}


def test_a_name_is_used_once(jobs):
    started = jobs()
    started.create()

    with pytest.raises(ApiError, match="must be unique") as told:
        started.create()

    assert told.value.code == "ResourceInUse"
    started.ended()


def test_a_channel_without_objects_fails_the_job(jobs):
    started = jobs()
    started.create(train="nowhere/")

    job = started.ended()

    assert job["FailureReason"].startswith("ClientError: Data download failed: NoSuchKey")


def test_a_key_that_leaves_its_channel_is_refused(jobs, tmp_path):
    jobs.s3.put_object(Bucket="bucket", Key="data/../../../escaped", Body=b"x")
    started = jobs()
    started.create(train="data/")

    assert "leaves its channel" in started.ended()["FailureReason"]
    assert not list(tmp_path.rglob("escaped"))
