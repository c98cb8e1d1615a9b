"""The evaluation role: what a judge job may do, and nothing more.

It trusts Bedrock and SageMaker, as AWS's examples do; their FullAccess policies are replaced.
"""

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from nova_judge.recipe import catalog
from stacks.config import StageConfig
from stacks.constructs.grants import allow, allow_list
from stacks.constructs.network import let_containers_in
from stacks.constructs.sagemaker_grants import allow_container, container_role


class JudgeRole(Construct):
    """Reads a run's judge input, writes its output, pulls the Nova image, writes its own log."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        data_bucket: s3.Bucket,
        config: StageConfig,
    ) -> None:
        super().__init__(scope, construct_id)
        services = ("bedrock.amazonaws.com", "sagemaker.amazonaws.com")
        self.role = container_role(self, "Role", "Runs the judge jobs of Nova Judge", services)
        self._grant_data(data_bucket)
        writes = ("/aws/sagemaker/TrainingJobs*", "/aws/sagemaker/TrainingJobs")
        allow_container(self.role, [*self._images(), *config.judge_image_repositories], writes)
        if config.vpc:
            let_containers_in(self.role, cdk.Stack.of(self), config.vpc)
        if config.kms_key:
            uses = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
            allow(self.role, (uses, [config.kms_key]))

    def _grant_data(self, bucket: s3.Bucket) -> None:
        judged = "runs/*/judge/*"
        objects = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
        allow(self.role, (objects, [bucket.arn_for_objects(judged)]))
        allow_list(self.role, bucket.bucket_arn, judged)
        # Bedrock's jobs ask for these beside, as AWS lists them:
        # https://docs.aws.amazon.com/bedrock/latest/userguide/judge-service-roles.html
        of_bedrock = ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
        allow(self.role, (of_bedrock, [bucket.bucket_arn]))

    def _images(self) -> list[str]:
        nova, stack = catalog.images().nova_evaluation, cdk.Stack.of(self)
        return [
            f"arn:{stack.partition}:ecr:{stack.region}:{account}:repository/{nova.repository}"
            for account in nova.accounts.values()
        ]
