"""The data bucket and the runs table, as everything beside their stack knows them."""

from typing import NamedTuple

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from stacks.config import StageConfig
from stacks.constructs.grants import allow


class Storage(NamedTuple):
    """Storage of a stage: input, runs and reports in the bucket, one item per run in the table.

    `kms_key`: the ARN of the key that encrypts both, where the stage names one.
    """

    data_bucket: s3.Bucket
    runs_table: dynamodb.TableV2
    kms_key: str | None = None

    def allow_read(self, grantee: iam.IGrantable, *keys: str) -> None:
        """Let somebody read objects below the given keys, and learn that an object is not there."""
        objects = [self.data_bucket.arn_for_objects(key) for key in keys]
        allow(
            grantee,
            (["s3:GetObject", "s3:GetObjectVersion"], objects),
            (["s3:ListBucket"], [self.data_bucket.bucket_arn]),
        )
        self.allow_key(grantee)

    def allow_write(self, grantee: iam.IGrantable, *keys: str) -> None:
        """Let somebody write objects below the given keys."""
        objects = [self.data_bucket.arn_for_objects(key) for key in keys]
        allow(grantee, (["s3:PutObject", "s3:AbortMultipartUpload"], objects))
        self.allow_key(grantee)

    def allow_table(self, grantee: iam.IGrantable, *actions: str) -> None:
        """Let somebody take these actions of DynamoDB on the runs table."""
        self.runs_table.grant(grantee, *(f"dynamodb:{action}" for action in actions))
        self.allow_key(grantee)

    def allow_key(self, grantee: iam.IGrantable) -> None:
        """Let somebody read and write what the stage's own key encrypts."""
        if self.kms_key:
            allow(grantee, (["kms:Decrypt", "kms:GenerateDataKey"], [self.kms_key]))

    def settings(self, config: StageConfig) -> dict[str, str]:
        """Settings of every function of a stage (`FunctionSettings`)."""
        return {
            "stage": config.name,
            "data_bucket": self.data_bucket.bucket_name,
            "runs_table": self.runs_table.table_name,
        }
