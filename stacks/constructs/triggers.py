"""Rules and schedules that start recipes by themselves, and who may let them."""

import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.config import StageConfig
from stacks.constructs.grants import allow
from stacks.constructs.names import slash_arn
from stacks.trigger_config import StageTrigger

TRIES = 10
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""EventBridge Scheduler writes the time of the call in its place."""


class Triggers(Construct):
    """A rule or a schedule per trigger of the stage; each starts the machine and nothing else.

    An event that comes twice starts a second execution, which finds the run claimed and ends.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        bucket: str,
        machine: sfn.StateMachine,
        dead_letters: sqs.Queue,
    ) -> None:
        super().__init__(scope, "Trigger")
        self._config, self._bucket = config, bucket
        self._machine, self._dead_letters = machine, dead_letters
        by_event = {name: one for name, one in config.triggers.items() if one.schedule is None}
        by_time = {name: one for name, one in config.triggers.items() if one.schedule is not None}
        if by_event:
            self._start_on_events(by_event)
        if by_time:
            self._start_on_schedules(by_time)

    def _start_on_events(self, triggers: Mapping[str, StageTrigger]) -> None:
        rules = slash_arn(cdk.Stack.of(self), "events", "rule", f"{self._config.prefix}-*")
        role = self._role("RuleRole", "events.amazonaws.com", rules)
        for name, one in triggers.items():
            events.Rule(
                self,
                name,
                rule_name=f"{self._config.prefix}-{name}",
                description=f"Nova Judge: the trigger {name} starts recipe {one.recipe}",
                event_pattern=_pattern(one),
                targets=[
                    targets.SfnStateMachine(
                        self._machine,
                        input=events.RuleTargetInput.from_object(self._input(name, one)),
                        role=role,
                        dead_letter_queue=self._dead_letters,
                        retry_attempts=TRIES,
                    )
                ],
            )

    def _start_on_schedules(self, triggers: Mapping[str, StageTrigger]) -> None:
        group = scheduler.CfnScheduleGroup(self, "Schedules", name=self._config.prefix)
        role = self._role("ScheduleRole", "scheduler.amazonaws.com", group.attr_arn)
        allow(role, (["sqs:SendMessage"], [self._dead_letters.queue_arn]))
        for name, one in triggers.items():
            schedule = scheduler.CfnSchedule(
                self,
                name,
                name=name,
                group_name=self._config.prefix,
                description=f"Nova Judge: the trigger {name} starts recipe {one.recipe}",
                schedule_expression=one.schedule or "",
                schedule_expression_timezone=one.timezone,
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=self._machine.state_machine_arn,
                    role_arn=role.role_arn,
                    input=cdk.Stack.of(self).to_json_string(self._input(name, one)),
                    dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                        arn=self._dead_letters.queue_arn
                    ),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_retry_attempts=TRIES, maximum_event_age_in_seconds=3_600
                    ),
                ),
            )
            schedule.add_resource_dependency(group)

    def _role(self, name: str, service: str, source: str) -> iam.Role:
        """Who starts the machine for rules or schedules of this stage alone."""
        role = iam.Role(
            self,
            name,
            assumed_by=iam.ServicePrincipal(
                service,
                conditions={
                    "StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account},
                    "ArnLike": {"aws:SourceArn": source},
                },
            ),
            description="Nova Judge: starts evaluations for the stage's triggers",
        )
        allow(role, (["states:StartExecution"], [self._machine.state_machine_arn]))
        return role

    def _input(self, name: str, one: StageTrigger) -> dict[str, Any]:
        """The execution's input, as a person would write it."""
        trigger: dict[str, Any] = {"name": name}
        if one.when_trained is not None:
            trigger["training_job"] = events.EventField.from_path("$.detail.TrainingJobName")
        elif one.when_registered is not None:
            trigger["model_package"] = events.EventField.from_path("$.detail.ModelPackageArn")
        else:
            trigger |= {"scheduled": SCHEDULED_TIME, "event": SCHEDULED_TIME}
        if one.schedule is None:
            trigger["event"] = events.EventField.event_id
        wish: dict[str, Any] = {"recipe": one.recipe, "trigger": trigger}
        wish |= {"input": f"s3://{self._bucket}/{one.input}"} if one.input else {}
        return wish | ({"no_cache": True} if one.no_cache else {})


def _pattern(one: StageTrigger) -> events.EventPattern:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""
    if one.when_trained is not None:
        kind = "SageMaker Training Job State Change"
        detail: dict[str, Any] = {
            "TrainingJobName": [{"prefix": one.when_trained}],
            "TrainingJobStatus": ["Completed"],
        }
    else:
        kind = "SageMaker Model Package State Change"
        # What is not Completed yet cannot be served.
        detail = {
            "ModelPackageGroupName": [one.when_registered],
            "ModelPackageStatus": ["Completed"],
        }
        detail |= {"ModelApprovalStatus": list(one.approvals)} if one.approvals else {}
    return events.EventPattern(source=["aws.sagemaker"], detail_type=[kind], detail=detail)


def described(config: StageConfig) -> str:
    """The triggers as JSON, for `verify`: what each is set off by, its recipe and its input."""
    return json.dumps(
        {
            name: {"by": one.by, "recipe": one.recipe, "input": one.input}
            for name, one in config.triggers.items()
        }
    )
