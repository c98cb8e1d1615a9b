"""Files of a training job: channels out of S3 into `/opt/ml`, results back into S3."""

import json
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONFIG_FOLDER = "input/config"
FOLDERS = (CONFIG_FOLDER, "input/data", "model", "output/data")


class ChannelError(Exception):
    """A channel cannot be downloaded; the text is the job's failure reason."""


class S3Place(NamedTuple):
    """Bucket and key (or prefix) of an S3 URI."""

    bucket: str
    key: str


def parse_uri(uri: str) -> S3Place:
    """`s3://bucket/key` in two parts."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return S3Place(bucket, key)


def read(s3: "S3Client", uri: str) -> bytes:
    """The object of a URI, whole."""
    place = parse_uri(uri)
    return s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()


def prepare(root: Path, request: dict[str, Any], s3: "S3Client") -> None:
    """Lay out `/opt/ml` below `root`: configuration files and every channel's objects."""
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
    channels = request.get("InputDataConfig", [])
    written = {
        "hyperparameters.json": request.get("HyperParameters", {}),
        "inputdataconfig.json": {c["ChannelName"]: _channel_config(c) for c in channels},
        "resourceconfig.json": {"current_host": "algo-1", "hosts": ["algo-1"]},
    }
    if "ServerlessJobConfig" in request:
        written["serverless.json"] = {
            "name": request["TrainingJobName"],
            "model": _serverless_model(request),
        }
    for name, content in written.items():
        (root / CONFIG_FOLDER / name).write_text(json.dumps(content), "utf-8")
    for channel in channels:
        _download(root / "input/data" / channel["ChannelName"], channel, s3)


def publish(root: Path, request: dict[str, Any], s3: "S3Client") -> None:
    """Upload `model` and `output/data` as AWS does: two archives, or plain files with NONE."""
    output = request["OutputDataConfig"]
    place = parse_uri(output["S3OutputPath"])
    base = f"{place.key.rstrip('/')}/{request['TrainingJobName']}/output".lstrip("/")
    for folder, name in ((root / "model", "model"), (root / "output/data", "output")):
        if output.get("CompressionType") == "NONE":
            for file in _files(folder):
                key = f"{base}/{name}/{file.relative_to(folder).as_posix()}"
                s3.upload_file(str(file), place.bucket, key)
        else:
            archive = _archive(folder, root / f"{name}.tar.gz")
            s3.upload_file(str(archive), place.bucket, f"{base}/{archive.name}")


def _serverless_model(request: dict[str, Any]) -> str:
    """The model package, or else the base model's name in its hub."""
    package: str | None = request.get("ModelPackageConfig", {}).get("SourceModelPackageArn")
    base: str = request["ServerlessJobConfig"]["BaseModelArn"]
    return package or base.split("/")[3]


def _channel_config(channel: dict[str, Any]) -> dict[str, Any]:
    return {
        "TrainingInputMode": channel.get("InputMode", "File"),
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }


def _download(folder: Path, channel: dict[str, Any], s3: "S3Client") -> None:
    folder.mkdir()
    if "DatasetSource" in channel["DataSource"]:
        raise ChannelError(
            "ClientError: local mode has no registry of data sets: leave judge.serverless.dataset "
            "out of the recipe and bring a file"
        )
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    place = parse_uri(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    if not keys:
        raise ChannelError(
            f"ClientError: Data download failed: NoSuchKey (404): {uri} holds no object"
        )
    for key in keys:
        name = key[len(place.key) :].lstrip("/") or PurePosixPath(key).name
        target = (folder / name).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise ChannelError(f"ClientError: Data download failed: key {key!r} leaves its channel")
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(place.bucket, key, str(target))


def _archive(folder: Path, target: Path) -> Path:
    with tarfile.open(target, mode="w:gz") as archive:
        for file in _files(folder):
            archive.add(file, file.relative_to(folder).as_posix(), recursive=False)
    return target


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
