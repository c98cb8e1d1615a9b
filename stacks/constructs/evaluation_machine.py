"""The state machine `evaluation` and what its role may do."""

import json
from collections.abc import Mapping

import aws_cdk as cdk
import ryaml
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn

from nova_judge.folders import ROOT
from stacks.config import StageConfig
from stacks.constructs.grants import allow, allow_pass_role
from stacks.constructs.judge_role import JudgeRole
from stacks.constructs.names import machine_arns, stage_resources
from stacks.constructs.python_function import PythonFunction, log_retention
from stacks.constructs.storage import Storage

DEFINITION = ROOT / "stacks" / "evaluation.asl.yaml"


def evaluation_machine(
    stack: cdk.Stack,
    *,
    config: StageConfig,
    storage: Storage,
    functions: Mapping[str, PythonFunction],
    judge_role: JudgeRole,
) -> sfn.StateMachine:
    """The machine of `evaluation.asl.yaml`; a definition from a file brings no grants."""
    machine = _machine(stack, config, storage, functions)
    _grant_machine(stack, config, storage, functions, judge_role, machine)
    return machine


def _machine(
    stack: cdk.Stack,
    config: StageConfig,
    storage: Storage,
    functions: Mapping[str, PythonFunction],
) -> sfn.StateMachine:
    definition = json.dumps(ryaml.loads(DEFINITION.read_text(encoding="utf-8")), indent=1)
    substitutions = {name: f.function_arn for name, f in functions.items()}
    substitutions |= {
        "Region": stack.region,
        "Stage": config.name,
        "RunsTable": storage.runs_table.table_name,
    }
    return sfn.StateMachine(
        stack,
        "Evaluation",
        state_machine_name=config.machine_name,
        definition_body=sfn.DefinitionBody.from_string(definition),
        definition_substitutions=substitutions,
        tracing_enabled=True,
        logs=sfn.LogOptions(
            destination=logs.LogGroup(
                stack,
                "EvaluationLog",
                log_group_name=f"/aws/vendedlogs/states/{config.machine_name}",
                retention=log_retention(config.log_retention_days),
                removal_policy=cdk.RemovalPolicy.DESTROY,
            ),
            level=sfn.LogLevel.ALL,
            include_execution_data=False,
        ),
    )


def _grant_machine(
    stack: cdk.Stack,
    config: StageConfig,
    storage: Storage,
    functions: Mapping[str, PythonFunction],
    judge_role: JudgeRole,
    machine: sfn.StateMachine,
) -> None:
    storage.allow_read(machine, "runs/*/shards.json")
    storage.runs_table.grant(machine, "dynamodb:GetItem")
    allow_pass_role(machine, judge_role.role, "sagemaker.amazonaws.com")
    allow(
        machine,
        (
            ("lambda:InvokeFunction",),
            [function.function_arn for function in functions.values()],
        ),
        (
            (
                "states:StartExecution",
                "states:DescribeExecution",
                "states:StopExecution",
                "states:RedriveExecution",
            ),
            machine_arns(stack, config.machine_name),
        ),
        (
            (
                "sagemaker:CreateTrainingJob",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:StopTrainingJob",
                "sagemaker:AddTags",
                "sagemaker:ListTags",
            ),
            [stage_resources(stack, config, "training-job")],
        ),
        (
            ("events:PutTargets", "events:PutRule", "events:DescribeRule"),
            [
                stack.format_arn(
                    service="events",
                    resource="rule",
                    resource_name="StepFunctionsGetEventsForSageMakerTrainingJobsRule",
                )
            ],
        ),
    )
