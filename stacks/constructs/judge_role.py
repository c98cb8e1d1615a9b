"""The evaluation role: what a judge job may do, and nothing more.

It trusts Bedrock and SageMaker, as AWS's examples do; their FullAccess policies are replaced.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from nova_judge.recipe import catalog
from stacks.config import StageConfig
from stacks.constructs.grants import allow
from stacks.constructs.network import let_containers_in
from stacks.constructs.sagemaker_grants import grant_image_pull, grant_telemetry


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
        stack = cdk.Stack.of(self)
        trust = [
            iam.ServicePrincipal(
                service, conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            )
            for service in ("bedrock.amazonaws.com", "sagemaker.amazonaws.com")
        ]
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.CompositePrincipal(*trust),
            description="Runs the judge jobs of Nova Judge",
        )
        self._grant_data(data_bucket)
        self._grant_image(stack, config.judge_image_repositories)
        grant_telemetry(
            self.role, stack, "/aws/sagemaker/TrainingJobs*", "/aws/sagemaker/TrainingJobs"
        )
        if config.vpc:
            let_containers_in(self.role, stack, config.vpc)
        if config.kms_key:
            uses = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
            allow(self.role, (uses, [config.kms_key]))

    def _grant_data(self, bucket: s3.Bucket) -> None:
        judge = bucket.arn_for_objects("runs/*/judge/*")
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
                resources=[judge],
            )
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": ["runs/*/judge/*"]}},
            )
        )

        # Bedrock's jobs ask for these beside, as AWS lists them:
        # https://docs.aws.amazon.com/bedrock/latest/userguide/judge-service-roles.html
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
                resources=[bucket.bucket_arn],
            )
        )

    def _grant_image(self, stack: cdk.Stack, own_repositories: Sequence[str]) -> None:
        nova = catalog.images().nova_evaluation
        repositories = [
            f"arn:{stack.partition}:ecr:{stack.region}:{account}:repository/{nova.repository}"
            for account in nova.accounts.values()
        ]
        grant_image_pull(self.role, [*repositories, *own_repositories])
