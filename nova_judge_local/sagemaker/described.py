"""Model packages and training jobs that the emulated account has without having made them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.sagemaker.api import ApiError, Operation, Parameters

SUPPOSED_BUCKET: Final = "nova-judge-supposed"
"""Holds what local mode supposes that training jobs and packages left."""


def with_described(
    settings: EmulatorSettings,
    operations: Mapping[str, Operation],
    publish: Callable[[Parameters], None],
) -> dict[str, Operation]:
    """The operations, which know the packages and jobs that the settings describe.

    `publish` sends an event of a package that was changed.
    """
    changed: dict[str, Parameters] = {}

    def package(parameters: Parameters) -> Parameters:
        arn = parameters["ModelPackageName"]
        if arn in settings.described:
            return settings.described[arn] | changed.get(arn, {})
        if not settings.any_model:
            raise ApiError("ValidationException", f"ModelPackage {arn} does not exist.")
        return supposed_package(arn) | changed.get(arn, {})

    def update(parameters: Parameters) -> Parameters:
        arn = parameters["ModelPackageArn"]
        given = {key: value for key, value in parameters.items() if key != "ModelPackageArn"}
        changed[arn] = changed.get(arn, {}) | given
        publish(_package_change(package({"ModelPackageName": arn})))
        return {"ModelPackageArn": arn}

    def job(parameters: Parameters) -> Parameters:
        name = parameters["TrainingJobName"]
        if name in settings.described:
            return settings.described[name]
        try:
            return operations["DescribeTrainingJob"](parameters)
        except ApiError:
            if not settings.any_model:
                raise
            return supposed_job(name)

    def model(parameters: Parameters) -> Parameters:
        arn = parameters.get("PrimaryContainer", {}).get("ModelPackageName")
        if arn and package({"ModelPackageName": arn}).get("ModelApprovalStatus") in WAITING:
            raise ApiError("ValidationException", f"ModelPackage {arn} is not approved.")
        return operations["CreateModel"](parameters)

    return {
        **operations,
        "DescribeModelPackage": package,
        "UpdateModelPackage": update,
        "DescribeTrainingJob": job,
        "CreateModel": model,
    }


def _package_change(package: Parameters) -> Parameters:
    """The documented event, as far as rules read it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    arn = package["ModelPackageArn"]
    keys = ("ModelPackageArn", "ModelPackageStatus", "ModelApprovalStatus")
    group = arn.rpartition("model-package/")[2].partition("/")[0]
    return {
        "Source": "aws.sagemaker",
        "DetailType": "SageMaker Model Package State Change",
        "Resources": [arn],
        "Detail": {key: package[key] for key in keys} | {"ModelPackageGroupName": group},
    }


WAITING: Final = ("PendingManualApproval", "Rejected")


def supposed_package(arn: str) -> Parameters:
    """An approved version of open weights."""
    folder = f"s3://{SUPPOSED_BUCKET}/{arn.rpartition('model-package/')[2]}/"
    source = {"S3Uri": folder, "S3DataType": "S3Prefix", "CompressionType": "None"}
    return {
        "ModelPackageName": arn,
        "ModelPackageArn": arn,
        "CreationTime": datetime.now(UTC),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [{"ModelDataSource": {"S3DataSource": source}}],
        },
    }


def supposed_job(name: str) -> Parameters:
    """A job that completed and left a checkpoint of open weights."""
    return {
        "TrainingJobName": name,
        "TrainingJobStatus": "Completed",
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://{SUPPOSED_BUCKET}/{name}/"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{SUPPOSED_BUCKET}/"},
    }
