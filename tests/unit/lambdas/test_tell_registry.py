"""TellRegistry: the report of a triggered run reaches the package or the job, or does not."""

import boto3
import msgspec
import pytest

from lambdas import tell_registry
from lambdas.settings import TriggerSettings, environment
from nova_judge.aws import aws_clients
from nova_judge.errors import RunStateError
from nova_judge.findings.index_entry import entry_of_report
from nova_judge.findings.metrics_record import encode_metrics
from nova_judge.findings.run_events import entries_of
from nova_judge.json_lines import indented
from nova_judge.layout import RunLayout
from nova_judge.recipe.recipe import CandidateSpec
from nova_judge.recipe.trigger import Decision, GateDemands, Trigger
from tests.unit.conftest import BUCKET, TABLE
from tests.unit.findings.test_registry_finding import INPUT, run

JOB = "sft-17"
ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture
def package(account):
    client = boto3.client("sagemaker")
    client.create_model_package_group(
        ModelPackageGroupName="summaries", ModelPackageGroupDescription="of summaries"
    )
    made = client.create_model_package(
        ModelPackageGroupName="summaries",
        ModelPackageDescription="the seventh",
        ModelApprovalStatus="PendingManualApproval",
    )
    return str(made["ModelPackageArn"])


@pytest.fixture
def told(account, context, monkeypatch):
    """A run that a trigger set off, its report, and the event of it."""

    def tell(trigger, metrics, sets, decides=None, said=None, **demands):
        made = run(trigger)
        spec = CandidateSpec(bedrock=trigger.subject)
        recipe = msgspec.structs.replace(
            made.recipe, candidates={**made.recipe.candidates, "B": spec}
        )
        made = msgspec.structs.replace(made, recipe=recipe)
        layout = RunLayout(made.run_id)
        account.put(layout.request, indented(made))
        account.put(layout.report_file("metrics.json"), encode_metrics(metrics))
        pending = ("PendingManualApproval",)
        gate = GateDemands(max_errors=0.1, **demands)
        decision = Decision("own", INPUT, sets, gate, pending)
        decisions = msgspec.json.encode({decides or trigger.name: decision}).decode()
        settings = TriggerSettings(
            stage="dev", data_bucket=BUCKET, runs_table=TABLE, decisions=decisions
        )
        for name, value in environment(settings).items():
            monkeypatch.setenv(name, value)
        entry = entry_of_report(made, metrics, "s3://report", ended="2026-11-29T13:00:00Z")
        detail = msgspec.json.decode(entries_of("dev", entry)[0]["Detail"])
        detail["run"]["trigger"]["name"] = said or trigger.name
        return tell_registry.handler({"detail": detail}, context)

    return tell


@pytest.fixture
def sent(monkeypatch):
    """What the package is sent; moto forgets an approval that a request leaves out."""
    client, requests = boto3.client("sagemaker"), []

    class Recording:
        def update_model_package(self, **request):
            requests.append(request)
            return client.update_model_package(**request)

        def describe_model_package(self, **request):
            return client.describe_model_package(**request)

    monkeypatch.setattr(aws_clients, "sagemaker", Recording)
    return requests


def described(arn):
    return boto3.client("sagemaker").describe_model_package(ModelPackageName=arn)


NOTED = {"nova-judge:outcome": "pass", "nova-judge:run": "q-0123456789ab"}


def test_a_package_that_passes_is_approved_with_the_reason(told, package, rubric_metrics):
    low = rubric_metrics.win_rate.low
    trigger = Trigger("registry", model_package=package, event="e1")
    answer = told(trigger, rubric_metrics, ("approval", "tag"), min_win_rate=low)
    assert answer == {"run_id": "q-0123456789ab", "outcome": "pass", "approval": "Approved"}
    found = described(package)
    assert found["ModelApprovalStatus"] == "Approved"
    assert found["ApprovalDescription"].startswith("Nova Judge run q-0123456789ab: pass: win rate")
    assert found["CustomerMetadataProperties"] == NOTED


def test_the_run_and_not_the_event_says_by_whose_demands_it_is_decided(
    told, package, sent, rubric_metrics
):
    other = Trigger("theirs", model_package=package)
    with pytest.raises(RunStateError, match="no trigger that decides set it off"):
        told(other, rubric_metrics, ("approval",), said="registry", decides="registry")
    assert sent == []


def test_what_a_person_decided_meanwhile_stays(told, package, sent, rubric_metrics):
    boto3.client("sagemaker").update_model_package(
        ModelPackageArn=package, ModelApprovalStatus="Rejected"
    )
    trigger = Trigger("registry", model_package=package)
    low = rubric_metrics.win_rate.low
    answer = told(trigger, rubric_metrics, ("approval", "tag"), min_win_rate=low)
    assert answer == {"run_id": "q-0123456789ab", "outcome": "pass", "approval": None}
    assert sent == [{"ModelPackageArn": package, "CustomerMetadataProperties": NOTED}]


def test_a_package_that_is_worse_is_rejected(told, package, rubric_metrics):
    high = rubric_metrics.win_rate.high + 1e-9
    trigger = Trigger("registry", model_package=package)
    told(trigger, rubric_metrics, ("approval",), min_win_rate=high)
    found = described(package)
    assert found["ModelApprovalStatus"] == "Rejected"
    assert not found.get("CustomerMetadataProperties")


def test_what_decides_nothing_is_noted_and_the_approval_stays(told, package, sent, rubric_metrics):
    trigger = Trigger("registry", model_package=package)
    estimate = rubric_metrics.win_rate.estimate
    answer = told(trigger, rubric_metrics, ("approval", "tag"), min_win_rate=estimate)
    assert (answer["outcome"], answer["approval"]) == ("inconclusive", None)
    notes = {**NOTED, "nova-judge:outcome": "inconclusive"}
    assert sent == [{"ModelPackageArn": package, "CustomerMetadataProperties": notes}]


def test_a_stage_that_sets_the_approval_alone_writes_nothing_where_nothing_is_decided(
    told, package, sent, rubric_metrics
):
    trigger = Trigger("registry", model_package=package)
    told(trigger, rubric_metrics, ("approval",), min_win_rate=rubric_metrics.win_rate.estimate)
    assert sent == []


def test_a_stage_that_sets_the_note_alone_approves_nothing(told, package, sent, rubric_metrics):
    trigger = Trigger("registry", model_package=package)
    told(trigger, rubric_metrics, ("tag",), min_win_rate=rubric_metrics.win_rate.low)
    assert sent == [{"ModelPackageArn": package, "CustomerMetadataProperties": NOTED}]


def test_a_job_is_tagged(told, rubric_metrics):
    client = boto3.client("sagemaker")
    made = client.create_training_job(
        TrainingJobName=JOB,
        AlgorithmSpecification={"TrainingInputMode": "File", "TrainingImage": "i"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/o"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    trigger = Trigger("ckpt", training_job=JOB)
    told(trigger, rubric_metrics, ("tag",), min_win_rate=rubric_metrics.win_rate.low)
    tags = client.list_tags(ResourceArn=made["TrainingJobArn"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == NOTED
