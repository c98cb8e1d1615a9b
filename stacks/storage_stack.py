"""Storage: the data bucket and the runs table. The only stack that holds state."""

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from nova_judge.runs.layout import ANSWERS, RUNS
from stacks.config import StageConfig


class StorageStack(cdk.Stack):
    """Input, runs and reports in one bucket; one item a run in one table."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id, description="Nova Judge: data bucket and runs table")
        self.removal = cdk.RemovalPolicy.RETAIN if config.retain_data else cdk.RemovalPolicy.DESTROY
        # S3 writes logs for hours after the data bucket was emptied, so that a stack that wants to
        # delete their bucket fails. The bucket stays, and its lifecycle empties it.
        logs = self._bucket(
            "AccessLogs", cdk.RemovalPolicy.RETAIN, expire_days=config.log_retention_days
        )
        self.data_bucket = self._bucket("Data", self.removal, logs=logs)
        self._send_events(self.data_bucket)
        self._expire_runs(self.data_bucket, config.run_retention_days)
        self.runs_table = dynamodb.TableV2(
            self,
            "Runs",
            partition_key=dynamodb.Attribute(name="run_id", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=self.removal,
        )
        cdk.CfnOutput(self, "DataBucketName", value=self.data_bucket.bucket_name)
        cdk.CfnOutput(self, "RunsTableName", value=self.runs_table.table_name)

    def allow_read(self, grantee: iam.IGrantable, *keys: str) -> None:
        """Let somebody read objects below the given keys, and learn that an object is not there."""
        data = self.data_bucket
        _allow(grantee, ["s3:GetObject", "s3:GetObjectVersion"], map(data.arn_for_objects, keys))
        _allow(grantee, ["s3:ListBucket"], [data.bucket_arn])

    def allow_write(self, grantee: iam.IGrantable, *keys: str) -> None:
        """Let somebody write objects below the given keys."""
        objects = map(self.data_bucket.arn_for_objects, keys)
        _allow(grantee, ["s3:PutObject", "s3:AbortMultipartUpload"], objects)

    def _bucket(
        self,
        construct_id: str,
        removal: cdk.RemovalPolicy,
        *,
        logs: s3.Bucket | None = None,
        expire_days: int | None = None,
    ) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            construct_id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            removal_policy=removal,
            server_access_logs_bucket=logs,
            server_access_logs_prefix="data/" if logs else None,
        )
        bucket.add_lifecycle_rule(
            abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
            noncurrent_version_expiration=cdk.Duration.days(30),
            expiration=cdk.Duration.days(expire_days) if expire_days else None,
        )
        return bucket

    @staticmethod
    def _send_events(bucket: s3.Bucket) -> None:
        # The L2 property would add a custom-resource function; the L1 property needs none.
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)  # noqa: S101 - narrows the type
        resource.add_property_override(
            "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True
        )

    @staticmethod
    def _expire_runs(bucket: s3.Bucket, days: int) -> None:
        for prefix in (RUNS, ANSWERS):
            bucket.add_lifecycle_rule(prefix=prefix, expiration=cdk.Duration.days(days))


def _allow(grantee: iam.IGrantable, actions: list[str], resources: Iterable[str]) -> None:
    grantee.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=actions, resources=list(resources))
    )
