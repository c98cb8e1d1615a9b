"""Reads of the account, and of the Hub, what serving a model needs to know: model packages,
training jobs and the manifest that a job of Nova leaves.

The places of the manifest: sagemaker_core 2.27.0, training/utils.py. Its form:
https://docs.aws.amazon.com/nova/latest/userguide/nova-iterative-training.html.
"""

import gzip
import hashlib
import re
import tarfile
import zlib
from typing import IO, Any, Final

import boto3
import msgspec

from nova_judge.aws import account, aws_clients, checkpoints
from nova_judge.aws.client_errors import passing
from nova_judge.check import NotRead
from nova_judge.preflight.served_model import Found, folder_of
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.sources.checkpoint import Checkpoint, JobFacts, PackageFacts, nova_of
from nova_judge.sources.served import NOVA

_REFUSALS = ("ValidationException", "ResourceNotFound")
_ABSENT = ("does not exist", "Could not find", "Requested resource not found", "not found")
_MOST_MANIFEST: Final = 1 << 20
_MOST_UNPACKED: Final = 64 << 20
_CHECKPOINT = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[\w!.*'()/ -]+")


def package_facts(sagemaker: Any, arn: str) -> PackageFacts | None:  # noqa: ANN401
    """A model package; None where there is none. Raises ClientError."""
    package: Any = None
    with passing(*_REFUSALS, saying=_ABSENT):
        package = sagemaker.describe_model_package(ModelPackageName=arn)
    if package is None:
        return None
    specification = package.get("InferenceSpecification", {})
    containers = specification.get("Containers", [])
    container = containers[0] if containers else {}
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    base = container.get("BaseModel", {})
    mark = hashlib.sha256(msgspec.json.encode(containers, enc_hook=str)).hexdigest()[:16]
    return PackageFacts(
        package["ModelPackageStatus"],
        package.get("ModelApprovalStatus"),
        package.get("ManagedStorageType") == "Restricted",
        len(containers),
        container.get("Image", ""),
        source.get("S3Uri") or container.get("ModelDataUrl", ""),
        dict(container.get("Environment", {})),
        base.get("HubContentName", ""),
        base.get("RecipeName", ""),
        container.get("IsCheckpoint"),
        tuple(specification.get("SupportedRealtimeInferenceInstanceTypes", ())),
        mark,
    )


def job_facts(sagemaker: Any, name: str) -> JobFacts | None:  # noqa: ANN401
    """A training job and its checkpoint; None where there is no such job. Raises ClientError."""
    job: Any = None
    with passing(*_REFUSALS, saying=_ABSENT):
        job = sagemaker.describe_training_job(TrainingJobName=name)
    if job is None:
        return None
    artifacts = job.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    nova = nova_of(_base_of(job))
    facts = JobFacts(
        job["TrainingJobStatus"],
        job.get("FailureReason", ""),
        nova,
        artifacts,
        job.get("OutputModelPackageArn", ""),
    )
    if nova is None or facts.status != "Completed":
        return facts
    output = job.get("OutputDataConfig", {}).get("S3OutputPath", "").rstrip("/")
    return _with_manifest(facts, f"{output}/{name}")


def _base_of(job: Any) -> str:  # noqa: ANN401 - boto3's own answer
    """The words of a job that name the model which it customises, its image among them."""
    parameters = job.get("HyperParameters", {})
    named = (value for key, value in parameters.items() if "model" in key.lower())
    image = job.get("AlgorithmSpecification", {}).get("TrainingImage", "").rpartition("/")[2]
    base = job.get("ServerlessJobConfig", {}).get("BaseModelArn", "")
    return " ".join([base.rpartition("/Model/")[2], *named, image])


def _with_manifest(facts: JobFacts, folder: str) -> JobFacts:
    """The facts with the folder that the job's manifest names."""
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    s3: Any = boto3.client("s3")
    for name in ("output/output/manifest.json", "manifest.json", "output/output.tar.gz"):
        body = _object(s3, bucket, f"{prefix}/{name}")
        if body is None:
            continue
        archived = name.endswith(".gz")
        content = _in_archive(body) if archived else body.read(_MOST_MANIFEST)
        address = _address_in(content)
        if address:
            return facts._replace(folder=address.rstrip("/") + "/")
        return facts._replace(folder="", problem=f"{folder}/{name} names no checkpoint in S3")
    return facts._replace(folder="", problem=f"no manifest.json of it is below {folder}/")


def _object(s3: Any, bucket: str, key: str) -> IO[bytes] | None:  # noqa: ANN401
    """An object's bytes; None where a list does not show it.

    Who may list below a prefix alone is denied an object that is not there: 403 in place of 404.
    """
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    if not listed or listed[0]["Key"] != key:
        return None
    body: IO[bytes] = s3.get_object(Bucket=bucket, Key=key)["Body"]
    return body


class _Capped:
    """What is unpacked of an archive, up to a limit: it may be huge, its manifest is not."""

    def __init__(self, body: IO[bytes]) -> None:
        self._unpacked, self._left = gzip.GzipFile(fileobj=body), _MOST_UNPACKED

    def read(self, size: int) -> bytes:
        content = self._unpacked.read(min(size, self._left))
        self._left -= len(content)
        return content


def _in_archive(body: IO[bytes]) -> bytes:
    """The manifest in a `.tar.gz`; empty where it holds none, or is damaged."""
    stream: Any = _Capped(body)
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if member.isreg() and member.name.rpartition("/")[2] == "manifest.json":
                    file = archive.extractfile(member)
                    return file.read(_MOST_MANIFEST) if file else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, RecursionError):
        return b""
    return b""


class _Manifest(msgspec.Struct):
    checkpoint_s3_bucket: str = ""


def _address_in(content: bytes) -> str:
    """The checkpoint's whole address, which the key calls a bucket; "" for anything else."""
    try:
        address = msgspec.json.decode(content, type=_Manifest).checkpoint_s3_bucket
    except msgspec.DecodeError:
        return ""
    return address if _CHECKPOINT.fullmatch(address) else ""


def found_model(model: AskedModel) -> Found:
    """A model of one's own as the account shows it now, but for its weights."""
    sagemaker = aws_clients.impatient("sagemaker")
    if model.model_package is not None:
        return Found(package=account.read(package_facts, sagemaker, model.model_package))
    if model.training_job is not None:
        return Found(job=account.read(job_facts, sagemaker, model.training_job))
    return Found()


def with_weights(model: AskedModel, found: Found) -> Found:
    """The same with the folders of its weights and of its adapter.

    The Hub is asked only where the recipe names no instance type.
    """
    weights: Checkpoint | NotRead | None = None
    if (folder := folder_of(model, found)).endswith("/") and not _is_nova(model, found):
        weights = account.read(checkpoints.in_s3, folder)
    elif _on_the_hub(model) and not model.instance_types:
        weights = checkpoints.on_the_hub(model.model, model.revision or "")
    adapter: Checkpoint | NotRead | None = None
    if model.lora is not None:
        adapter = account.read(checkpoints.in_s3, model.lora)
    return found._replace(weights=weights, adapter=adapter)


def _on_the_hub(model: AskedModel) -> bool:
    return model.weights is not None and not model.weights.startswith("s3://")


def _is_nova(model: AskedModel, found: Found) -> bool:
    """True for Nova's checkpoints, whose form is AWS's own."""
    facts = found.package or found.job
    of_facts = None if isinstance(facts, NotRead) or facts is None else facts.nova
    return (model.serving or "").startswith(NOVA) or of_facts is not None
