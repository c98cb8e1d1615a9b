"""Model packages and training jobs as SageMaker describes them, and the manifest of a Nova job."""

import gzip
import io
import json
import tarfile
from typing import NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from nova_judge.aws import described_models
from nova_judge.aws.described_models import job_facts, package_facts
from nova_judge.sources.checkpoint import JobFacts, PackageFacts

ARN = "arn:aws:sagemaker:us-east-1:444455556666:model-package/tuned/3"
ESCROW = "s3://customer-escrow-444455556666-smtj-ab12/sft-200/100"
JOB = {
    "TrainingJobName": "sft-200",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:444455556666:training-job/sft-200",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://data/out/sft-200/output/model.tar.gz"},
    "TrainingJobStatus": "Completed",
    "SecondaryStatus": "Completed",
    "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "1.dkr/mine:1"},
    "ResourceConfig": {"VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "CreationTime": 0,
    "OutputDataConfig": {"S3OutputPath": "s3://data/out/"},
}
OF_NOVA = JOB | {"HyperParameters": {"base_model": "nova-micro/prod", "epochs": "2"}}


def described(operation, answer, read, name):
    sagemaker = boto3.client(
        "sagemaker", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(sagemaker) as stub:
        if isinstance(answer, str):
            stub.add_client_error(operation, "ValidationException", answer)
        else:
            stub.add_response(operation, answer)
        return read(sagemaker, name)


def job(answer):
    return described("describe_training_job", answer, job_facts, "sft-200")


def test_a_package_tells_its_container_approval_and_types():
    found = described(
        "describe_model_package",
        {
            "ModelPackageName": "tuned",
            "ModelPackageArn": ARN,
            "CreationTime": 0,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "ModelDataSource": {
                            "S3DataSource": {
                                "S3Uri": "s3://data/out/",
                                "S3DataType": "S3Prefix",
                                "CompressionType": "None",
                            }
                        },
                        "Environment": {"A": "1"},
                        "IsCheckpoint": False,
                        "BaseModel": {
                            "HubContentName": "nova-textgeneration-micro",
                            "RecipeName": "sft-lora",
                        },
                    }
                ],
                "SupportedRealtimeInferenceInstanceTypes": ["ml.g5.12xlarge"],
            },
        },
        package_facts,
        ARN,
    )
    assert found._replace(version="") == PackageFacts(
        "Completed",
        "PendingManualApproval",
        data="s3://data/out/",
        variables={"A": "1"},
        base="nova-textgeneration-micro",
        recipe="sft-lora",
        is_checkpoint=False,
        instance_types=("ml.g5.12xlarge",),
    )
    assert (found.nova, found.unmerged) == ("micro", False)


def test_what_is_not_there_is_none():
    words = "ModelPackage arn:aws:… does not exist"
    assert described("describe_model_package", words, package_facts, ARN) is None
    assert job("Requested resource not found.") is None


def test_another_job_left_its_artifacts():
    found = job(JOB)
    assert found == JobFacts("Completed", folder="s3://data/out/sft-200/output/model.tar.gz")


@pytest.mark.parametrize("place", ["output/output/manifest.json", "manifest.json"])
def test_the_manifest_of_a_nova_job_names_its_checkpoint(bucket, place):
    manifest = json.dumps({"checkpoint_s3_bucket": ESCROW}).encode()
    bucket.put_object(Bucket="data", Key=f"out/sft-200/{place}", Body=manifest)
    assert job(OF_NOVA) == JobFacts("Completed", nova="micro", folder=f"{ESCROW}/")


def archive(name, content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def chain(count):
    """Headers that each announce a long name of the next."""
    link = tarfile.TarInfo("././@LongLink")
    link.type, link.size = tarfile.GNUTYPE_LONGNAME, 4
    return gzip.compress((link.tobuf() + b"abc".ljust(512, b"\0")) * count)


@pytest.mark.parametrize(
    ("content", "folder"),
    [
        (chain(5_000), None),
        (archive("manifest.json", b'{"checkpoint_s3_bucket": "%s"}' % ESCROW.encode()), ESCROW),
        (archive("other.json", b"{}"), None),
        (archive("manifest.json", b'{"checkpoint_s3_bucket": "the bucket"}'), None),
        (archive("manifest.json", b"[]"), None),
        (b"no archive", None),
        (archive("manifest.json", b"{}")[:40], None),
        (archive("big", bytes(80 << 20)), None),
    ],
    ids=["chain", "named", "absent", "no address", "no object", "no archive", "cut off", "huge"],
)
def test_the_manifest_may_lie_in_an_archive(bucket, content, folder):
    bucket.put_object(Bucket="data", Key="out/sft-200/output/output.tar.gz", Body=content)
    found = job(OF_NOVA)
    if folder is None:
        assert (found.folder, found.problem) == (
            "",
            "s3://data/out/sft-200/output/output.tar.gz names no checkpoint in S3",
        )
    else:
        assert found.folder == f"{folder}/"


def test_a_nova_job_without_a_manifest_says_where_it_was_looked_for(bucket):
    assert job(OF_NOVA).problem == "no manifest.json of it is below s3://data/out/sft-200/"


class ListedBelowAPrefix:
    """S3 as a role sees it that may list below a prefix alone: what is absent is forbidden."""

    def __init__(self, client):
        self.client, self.list_objects_v2 = client, client.list_objects_v2

    def get_object(self, **request):
        try:
            return self.client.get_object(**request)
        except self.client.exceptions.NoSuchKey:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject") from None


def test_a_manifest_is_found_where_absent_objects_are_forbidden(bucket, monkeypatch):
    manifest = json.dumps({"checkpoint_s3_bucket": ESCROW}).encode()
    bucket.put_object(Bucket="data", Key="out/sft-200/manifest.json", Body=manifest)
    monkeypatch.setattr(described_models.boto3, "client", lambda _: ListedBelowAPrefix(bucket))
    sagemaker = Described(OF_NOVA)
    assert job_facts(sagemaker, "sft-200").folder == f"{ESCROW}/"


class Described(NamedTuple):
    job: dict

    def describe_training_job(self, TrainingJobName):
        return self.job
