"""The evaluation role: what a judge job may do, and nothing more.

It trusts Bedrock and SageMaker, as AWS's examples do; their FullAccess policies are replaced.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from nova_judge.recipe import catalog
from stacks.config import StageConfig
from stacks.constructs.grants import (
    allow,
    allow_container,
    allow_list,
    container_role,
    let_containers_in,
)
from stacks.constructs.names import repository_arn


def judge_role(stack: cdk.Stack, *, data_bucket: s3.Bucket, config: StageConfig) -> iam.Role:
    """Reads a run's judge input, writes its output, pulls the Nova image, writes its own log."""
    services = ("bedrock.amazonaws.com", "sagemaker.amazonaws.com")
    place = Construct(stack, "JudgeRole")
    role = container_role(place, "Role", "Runs the judge jobs of Nova Judge", services)
    _grant_data(role, data_bucket)
    nova = catalog.images().nova_evaluation
    images = [repository_arn(stack, each, nova.repository) for each in nova.accounts.values()]
    writes = ("/aws/sagemaker/TrainingJobs*", "/aws/sagemaker/TrainingJobs")
    allow_container(role, [*images, *config.judge_image_repositories], writes)
    if config.vpc:
        let_containers_in(role, stack, config.vpc)
    if config.kms_key:
        uses = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
        allow(role, (uses, [config.kms_key]))
    return role


def _grant_data(role: iam.Role, bucket: s3.Bucket) -> None:
    judged = "runs/*/judge/*"
    objects = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
    allow(role, (objects, [bucket.arn_for_objects(judged)]))
    allow_list(role, bucket.bucket_arn, judged)
    # Bedrock's jobs ask for these beside, as AWS lists them:
    # https://docs.aws.amazon.com/bedrock/latest/userguide/judge-service-roles.html
    of_bedrock = ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
    allow(role, (of_bedrock, [bucket.bucket_arn]))
