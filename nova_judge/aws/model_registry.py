"""Writes what a run decided to a model package, or to the training job of a model."""

from collections.abc import Mapping
from typing import Any

from nova_judge.aws import aws_clients


def update_package(
    arn: str, notes: Mapping[str, str], approval: str | None, description: str
) -> None:
    """Set a package's approval, and what is noted in its metadata; nothing where both are empty.

    Versions of a package take no tags: AWS keeps metadata for them.
    (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html,
    https://github.com/aws/aws-cdk/issues/33699)
    """
    changes: dict[str, Any] = {}
    if notes:
        changes["CustomerMetadataProperties"] = dict(notes)
    if approval is not None:
        changes |= {"ModelApprovalStatus": approval, "ApprovalDescription": description}
    if changes:
        aws_clients.sagemaker().update_model_package(ModelPackageArn=arn, **changes)


def approval_of(arn: str) -> str:
    """A package's approval now; "" where none was asked for."""
    package = aws_clients.sagemaker().describe_model_package(ModelPackageName=arn)
    return str(package.get("ModelApprovalStatus", ""))


def tag_job(arn: str, notes: Mapping[str, str]) -> None:
    """Tag a training job."""
    tags: Any = [{"Key": key, "Value": value} for key, value in notes.items()]
    aws_clients.sagemaker().add_tags(ResourceArn=arn, Tags=tags)
