"""Storage: the data bucket and the runs table. The only stack that holds state."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from nova_judge.layout import ANSWERS, RUNS
from stacks.config import StageConfig
from stacks.constructs.storage import Storage


class StorageStack(cdk.Stack):
    """Input, runs and reports in one bucket; one item per run in one table."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id, description="Nova Judge: data bucket and runs table")
        self.removal = cdk.RemovalPolicy.RETAIN if config.retain_data else cdk.RemovalPolicy.DESTROY
        # S3 writes logs for hours after the data bucket was emptied, so that a stack that wants to
        # delete their bucket fails. The bucket stays, and its lifecycle empties it.
        logs = self._bucket(
            "AccessLogs", cdk.RemovalPolicy.RETAIN, expire_days=config.log_retention_days
        )
        key = kms.Key.from_key_arn(self, "Key", config.kms_key) if config.kms_key else None
        data = self._bucket("Data", self.removal, logs=logs, key=key)
        bucket: Any = data.node.default_child
        # The L2 property would add a custom-resource function; the L1 property needs none.
        events = "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled"
        bucket.add_property_override(events, True)
        expiration = cdk.Duration.days(config.run_retention_days)
        for prefix in (RUNS, ANSWERS):
            data.add_lifecycle_rule(prefix=prefix, expiration=expiration)
        runs = dynamodb.TableV2(
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
        if config.kms_key:
            table: Any = runs.node.default_child
            # The L2 property takes no key where the stack's region is not written down.
            table.add_property_override("SSESpecification", {"SSEEnabled": True, "SSEType": "KMS"})
            by_key = {"KMSMasterKeyId": config.kms_key}
            table.add_property_override("Replicas.0.SSESpecification", by_key)
        cdk.CfnOutput(self, "DataBucketName", value=data.bucket_name)
        cdk.CfnOutput(self, "RunsTableName", value=runs.table_name)
        self.storage = Storage(data, runs, config.kms_key)

    def _bucket(
        self,
        construct_id: str,
        removal: cdk.RemovalPolicy,
        *,
        logs: s3.Bucket | None = None,
        key: kms.IKey | None = None,
        expire_days: int | None = None,
    ) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            construct_id,
            # The log's bucket never has the key: S3 itself writes there, and may not use it.
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
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
