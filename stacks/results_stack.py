"""Results: a judge job's end starts the processor that writes the report and tells about it."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.settings import ResultsSettings
from nova_judge.runs.job_outcome import EVENT_SOURCE, JOBS_COMPLETED
from stacks.config import StageConfig
from stacks.constructs.grants import allow, allow_events
from stacks.constructs.names import machine_arns
from stacks.constructs.observation import dead_letter_queue
from stacks.constructs.python_function import PythonFunction
from stacks.constructs.registry_gate import RegistryGate
from stacks.constructs.storage import Storage


class ResultsStack(cdk.Stack):
    """Event-driven: nothing here runs unless a judge job of this stage ends."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: StageConfig, storage: Storage
    ) -> None:
        super().__init__(scope, construct_id, description="Nova Judge: the results processor")
        self.topic = self._topic(config)
        self.processor = PythonFunction(
            self,
            "ProcessResults",
            module="process_results",
            settings=ResultsSettings(**storage.settings(config), topic_arn=self.topic.topic_arn),
            config=config,
            description="Nova Judge: from the judge's output to the report",
            memory_mb=3008,
            timeout=cdk.Duration.minutes(15),
            scratch_mb=10240,
        )
        storage.allow_read(self.processor, "runs/*")
        storage.allow_write(self.processor, "runs/*")
        storage.allow_table(self.processor, "GetItem", "UpdateItem")
        allow(self.processor, (["sns:Publish"], [self.topic.topic_arn]))
        # What a run has used, for its bill.
        history = ["states:GetExecutionHistory", "states:ListMapRuns", "states:ListExecutions"]
        allow(self.processor, (history, machine_arns(self, config.machine_name)))
        allow_events(self.processor, self)
        dead_letters = dead_letter_queue(self, "ResultsDeadLetters", tell=self.topic)
        self._start_on_job_end(config, dead_letters)
        if any(one.sets for one in config.triggers.values()):
            gate = RegistryGate(self, config=config, storage=storage, dead_letters=dead_letters)
            cdk.CfnOutput(self, "TellRegistryFunction", value=gate.function.function_name)
        cdk.CfnOutput(self, "ReportsTopicArn", value=self.topic.topic_arn)

    def _topic(self, config: StageConfig) -> sns.Topic:
        """Topic for reports, failed runs and alarms."""
        key = kms.Key.from_key_arn(self, "Key", config.kms_key) if config.kms_key else None
        topic = sns.Topic(
            self, "Reports", display_name="Nova Judge reports", enforce_ssl=True, master_key=key
        )
        # A policy of one's own replaces the default one, which lets the account's alarms in.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        for address in config.notify_emails:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _start_on_job_end(self, config: StageConfig, dead_letters: sqs.Queue) -> None:
        self.processor.keep_lost_events(dead_letters, cdk.Duration.hours(6))
        events.Rule(
            self,
            "ProcessOnJobEnd",
            description="A judge job that ended: Completed, Failed and Stopped all leave a report",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Training Job State Change"],
                detail={
                    "TrainingJobName": [{"prefix": f"{config.prefix}-"}],
                    "TrainingJobStatus": ["Completed", "Failed", "Stopped"],
                },
            ),
            targets=[targets.LambdaFunction(self.processor, dead_letter_queue=dead_letters)],
        )
        events.Rule(
            self,
            "ProcessOnJobsCompleted",
            description="Bedrock's jobs of a run are done: the state machine tells so itself",
            event_pattern=events.EventPattern(
                source=[EVENT_SOURCE],
                detail_type=[JOBS_COMPLETED],
                detail={"stage": [config.name]},
            ),
            targets=[targets.LambdaFunction(self.processor, dead_letter_queue=dead_letters)],
        )
