"""The emulated account as a whole: small hand-written stacks, the real engine."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import msgspec
import pytest
from botocore.exceptions import ClientError

from nova_judge.errors import LocalModeError
from nova_judge.folders import ROOT
from nova_judge_local.emulator_settings import EmulatorSettings, Start
from nova_judge_local.engine.deploy import deploy
from nova_judge_local.engine.emulator import Emulator
from nova_judge_local.local_folders import FUNCTIONS

ROLE = "arn:aws:iam::123456789012:role/any"
WAIT_S = 30.0


@pytest.fixture(scope="module")
def account():
    with Emulator(EmulatorSettings(endpoint_start_s=0.05, job_start_s=0.0)) as emulator:
        yield emulator


def _until(look):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def _machine(account, name, **states):
    first = next(iter(states))
    definition = {"StartAt": first, "States": states}
    return account.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]


def _execute(account, machine, given=None, wait=True):
    client = account.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=machine, input=json.dumps(given or {}))
    arn = arn["executionArn"]

    def ended():
        found = client.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    return _until(ended) if wait else arn


def _function(account, name, code):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("handler.py", code)
    return account.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="handler.handler",
        Role=ROLE,
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]


def _queue_for(account, name, pattern):
    """A queue that gets the events of a pattern."""
    sqs, events = account.client("sqs"), account.client("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])

    def take():
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    return take


def _job(name, train, **more):
    source = {"S3DataType": "S3Prefix", "S3Uri": train}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "image"},
        "RoleArn": ROLE,
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": "s3://jobs/out"},
        "ResourceConfig": {
            "InstanceType": "ml.g5.12xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }


def test_upload_events_name_the_version(account):
    s3 = account.client("s3")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="versioned", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    take = _queue_for(account, "uploads", {"source": ["aws.s3"]})

    version = s3.put_object(Bucket="versioned", Key="inbox/a b.jsonl", Body=b"x")["VersionId"]
    (event,) = _until(take)

    assert event["detail-type"] == "Object Created"
    assert event["detail"]["object"]["version-id"] == version
    assert event["detail"]["object"]["key"] == "inbox/a b.jsonl"


def test_a_range_of_a_named_version_is_served(account):
    s3 = account.client("s3")
    s3.create_bucket(Bucket="ranges")
    s3.put_bucket_versioning(Bucket="ranges", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="ranges", Key="k", Body=b"0123456789")["VersionId"]
    s3.put_object(Bucket="ranges", Key="k", Body=b"newer")

    part = s3.get_object(Bucket="ranges", Key="k", VersionId=version, Range="bytes=2-4")

    assert part["Body"].read() == b"234"


def test_retry_and_catch_match_the_class_of_a_functions_error(account):
    code = "class OwnError(Exception): pass\ndef handler(event, context): raise OwnError('why')\n"
    machine = _machine(
        account,
        "catching",
        Call={
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": _function(account, "raises", code), "Payload": {}},
            "Catch": [
                {"ErrorEquals": ["OwnError"], "Next": "Caught", "ResultPath": "$.error"},
                {"ErrorEquals": ["States.ALL"], "Next": "Missed"},
            ],
            "End": True,
        },
        Caught={"Type": "Pass", "End": True},
        Missed={"Type": "Fail", "Error": "Missed"},
    )

    ended = _execute(account, machine)

    assert ended["status"] == "SUCCEEDED"
    cause = json.loads(json.loads(ended["output"])["error"]["Cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("OwnError", "why")
    assert "raises" in account.function_errors.read_text("utf-8")


def test_functions_see_the_account_and_none_of_the_users_environment(account):
    code = "import os\ndef handler(event, context): return dict(os.environ)\n"
    arn = _function(account, "environment", code)

    answer = account.client("lambda").invoke(FunctionName=arn)
    seen = json.loads(answer["Payload"].read())

    assert seen["AWS_ENDPOINT_URL"] == account.endpoint_url
    assert seen["TMPDIR"] == str(account.folder)
    assert "PYTEST_CURRENT_TEST" not in seen


def test_a_training_job_is_waited_for_and_its_failure_fails_the_task(account):
    account.client("s3").create_bucket(Bucket="jobs")
    machine = _machine(
        account,
        "training",
        Train={
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "Parameters": {
                **_job("unused", "s3://jobs/nothing/"),
                "TrainingJobName.$": "States.Format('job-{}', $$.Execution.RedriveCount)",
            },
            "End": True,
        },
    )

    ended = _execute(account, machine)

    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    job = json.loads(ended["cause"])
    assert job["TrainingJobName"] == "job-0"
    assert "NoSuchKey" in job["FailureReason"]
    assert job["TrainingEndTime"] > 1_000_000_000_000  # milliseconds, as AWS gives it


def test_a_change_between_the_look_and_the_wait_after_it_ends_the_wait():
    settings = EmulatorSettings(wait_scale=1.0, endpoint_start_s=0.02)
    with Emulator(settings) as hasty:
        sagemaker = hasty.client("sagemaker")
        sagemaker.create_model(
            ModelName="m", PrimaryContainer={"Image": "image"}, ExecutionRoleArn=ROLE
        )
        variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.g5.xlarge"}
        variant["InitialInstanceCount"] = 1
        sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
        machine = _machine(
            hasty,
            "waiting",
            Make={
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:sagemaker:createEndpoint",
                "Parameters": {"EndpointName": "e", "EndpointConfigName": "c"},
                "Next": "Wait",
            },
            Wait={"Type": "Wait", "Seconds": 10, "End": True},
        )

        ended = _execute(hasty, machine)

    assert ended["status"] == "SUCCEEDED"
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() < 5


def test_aborting_the_execution_stops_the_job_and_stays_aborted(account):
    account.client("s3").create_bucket(Bucket="abort")
    with Emulator(EmulatorSettings(job_start_s=2.0)) as slow:
        slow.client("s3").create_bucket(Bucket="jobs")
        machine = _machine(
            slow,
            "aborted",
            Train={
                "Type": "Task",
                "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
                "Parameters": _job("slow", "s3://jobs/nothing/"),
                "Next": "Never",
            },
            Never={"Type": "Fail", "Error": "Reached"},
        )
        take = _queue_for(slow, "states", {"source": ["aws.states"]})
        arn = _execute(slow, machine, wait=False)
        sagemaker, sfn = slow.client("sagemaker"), slow.client("stepfunctions")
        _until(lambda: sagemaker.list_training_jobs()["TrainingJobSummaries"])

        sfn.stop_execution(executionArn=arn, error="User", cause="changed my mind")

        def stopped():
            job = sagemaker.describe_training_job(TrainingJobName="slow")
            return job["TrainingJobStatus"] == "Stopped"

        _until(stopped)
        ended = sfn.describe_execution(executionArn=arn)
        assert (ended["status"], ended["cause"]) == ("ABORTED", "changed my mind")
        seen = [event["detail"]["status"] for event in _until(take)]
        assert seen[-1] == "ABORTED"
        assert "FAILED" not in seen


def test_the_sdk_integration_names_errors_as_step_functions_does(account):
    def endpoint(operation, **parameters):
        return {
            "Type": "Task",
            "Resource": f"arn:aws:states:::aws-sdk:sagemaker:{operation}",
            "Parameters": parameters,
            "End": True,
        }

    missing = _machine(account, "missing", Look=endpoint("describeEndpoint", EndpointName="none"))

    ended = _execute(account, missing)

    assert ended["error"] == "SageMaker.SageMakerException"
    assert "Could not find endpoint" in ended["cause"]


def test_training_jobs_tell_eventbridge(account):
    take = _queue_for(account, "training", {"source": ["aws.sagemaker"]})
    account.client("sagemaker").create_training_job(**_job("told", "s3://jobs/none/"))
    events = []

    def final():
        events.extend(take())
        return [e for e in events if e["detail"]["TrainingJobStatus"] == "Failed"]

    (event,) = _until(final)

    assert event["resources"] == ["arn:aws:sagemaker:us-east-1:123456789012:training-job/told"]
    assert event["detail"]["TrainingJobName"] == "told"


def _kept(folder, **templates):
    """A folder of hand-written templates."""
    for name, template in templates.items():
        (folder / f"{name}.json").write_text(json.dumps(template), "utf-8")
    return folder


def _endpoint_stack(config):
    image = {"Image": "image", "Environment": {"HF_MODEL_ID": "Qwen/Q"}}
    variant = {
        "VariantName": "v",
        "ModelName": {"Fn::GetAtt": ["M", "ModelName"]},
        "InitialInstanceCount": 1,
        "InstanceType": "ml.g5.xlarge",
    }
    model = {
        "Type": "AWS::SageMaker::Model",
        "Properties": {"ExecutionRoleArn": ROLE, "PrimaryContainer": image},
    }
    properties = {"EndpointConfigName": config, "ProductionVariants": [variant]}
    return {
        "Resources": {
            "M": model,
            "C": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": properties},
        },
        "Outputs": {
            "Config": {
                "Value": {"Fn::GetAtt": ["C", "EndpointConfigName"]},
                "Export": {"Name": f"{config}-name"},
            }
        },
    }


def test_stacks_go_out_in_the_order_of_their_dependencies_with_imports(account, tmp_path):
    topic = {
        "Type": "AWS::SNS::Topic",
        "Properties": {"DisplayName": {"Fn::ImportValue": "shared-name"}},
    }
    endpoint = {
        "Type": "AWS::SageMaker::Endpoint",
        "Properties": {
            "EndpointName": "stacked",
            "EndpointConfigName": {"Fn::ImportValue": "shared-name"},
        },
    }
    second = {
        "Resources": {"T": topic, "E": endpoint},
        "Outputs": {"Topic": {"Value": {"Ref": "T"}}},
    }
    # The one that exports stands last in the folder.
    templates = _kept(tmp_path, Exporting=_endpoint_stack("shared"), Dependent=second)
    told = []

    outputs = deploy(account.client, templates, told.append)

    assert told == ["Exporting", "Dependent"]
    assert outputs["Config"] == "shared"
    attributes = account.client("sns").get_topic_attributes(TopicArn=outputs["Topic"])
    assert attributes["Attributes"]["DisplayName"] == "shared"
    config = account.client("sagemaker").describe_endpoint(EndpointName="stacked")
    assert config["EndpointConfigName"] == "shared"
    account.client("cloudformation").delete_stack(StackName="Dependent")
    _until(lambda: not account.client("sagemaker").list_endpoints()["Endpoints"])


def test_a_stack_that_fails_names_the_resource_and_its_reason(account, tmp_path):
    bad = {
        "Resources": {
            "Broken": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {"EndpointConfigName": "no-such-configuration"},
            }
        }
    }

    with pytest.raises(LocalModeError, match=r"Stack Bad .*Broken .*no-such-configuration"):
        deploy(account.client, _kept(tmp_path, Bad=bad))


def test_a_folder_without_templates_is_refused(account, tmp_path):
    with pytest.raises(LocalModeError, match="holds no template"):
        deploy(account.client, tmp_path)


def test_it_listens_on_loopback_only(account):
    port = int(account.endpoint_url.rsplit(":", 1)[1])
    own = [info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)]

    for address in own:
        if not address.startswith("127."):
            with pytest.raises(OSError), socket.create_connection((address, port), timeout=1):
                pass
    assert account.endpoint_url.startswith("http://127.0.0.1:")


def _alive(group):
    listed = subprocess.run(
        ["ps", "-o", "pid=", "-g", str(group)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listed.stdout.split()]


def test_nothing_is_left_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    before = dict(os.environ)
    with Emulator() as emulator:
        group = emulator._process.pid
        code = "def handler(event, context): return 1\n"
        arn = _function(emulator, "worker", code)
        emulator.client("lambda").invoke(FunctionName=arn)
        assert len(_alive(group)) > 1
        url = emulator.endpoint_url

    assert _alive(group) == []
    assert list(tmp_path.iterdir()) == []
    assert dict(os.environ) == before
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=1)
    with pytest.raises(LocalModeError, match="not running"):
        emulator.client("s3")


_ORPHAN = """
import sys, time
from nova_judge_local.engine.emulator import Emulator
with Emulator() as emulator:
    print(emulator._process.pid, emulator.folder, flush=True)
    time.sleep(60)
"""


def test_it_does_not_outlive_a_killed_parent(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", _ORPHAN], stdout=subprocess.PIPE, text=True, env=environment
    )
    group = int(parent.stdout.readline().split()[0])
    assert _alive(group)

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    _until(lambda: not _alive(group))


def test_it_does_not_outlive_a_parent_that_went_before_it_was_ready(tmp_path):
    command = [sys.executable, "-m", "nova_judge_local.engine.server"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    path = os.pathsep.join([str(ROOT), str(FUNCTIONS)])
    server = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, **pipes
    )
    server.stdin.write(msgspec.json.encode(Start(EmulatorSettings(), str(tmp_path))) + b"\n")
    server.stdin.close()
    server.stdout.close()

    assert server.wait(WAIT_S * 3) == 0


def test_a_start_that_fails_says_why(tmp_path):
    broken = tmp_path / "answers.jsonl"
    broken.write_text("no json\n", "utf-8")

    with (
        pytest.raises(LocalModeError, match=r"did not start: .*answers\.jsonl: it holds no row"),
        Emulator(EmulatorSettings(answers=(str(broken),))),
    ):
        pass


def test_policies_of_functions_are_enforced_when_asked_for():
    with Emulator(EmulatorSettings(enforce_iam=True)) as strict:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                }
            ],
        }
        strict.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(trust))
        strict.client("s3").create_bucket(Bucket="private")
        code = (
            "import boto3\n"
            "def handler(event, context):\n"
            "    boto3.client('s3').put_object(Bucket='private', Key='k', Body=b'')\n"
        )
        arn = _function(strict, "writer", code)

        answer = json.loads(strict.client("lambda").invoke(FunctionName=arn)["Payload"].read())

        assert "AccessDenied" in answer["errorMessage"]
        with pytest.raises(ClientError):
            strict.client("s3").get_object(Bucket="private", Key="k")


def test_progress_counts_answers_and_judged_rows(account, tmp_path):
    assert account.judged() == 0
    (account.job_logs / "one.log").write_text("judged 10\njudged 12\n", "utf-8")
    (account.job_logs / "two.log").write_text("judged 30\n", "utf-8")
    (account.job_logs / "three.log").write_text("no progress\n", "utf-8")

    assert account.judged() == 42
    assert account.answered() == 0
    assert account.refused() is None
    assert isinstance(account.log, Path)
