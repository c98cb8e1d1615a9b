"""The state machine `evaluation` and what its role may do."""

import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import ryaml
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn

from nova_judge.folders import ROOT
from stacks.config import StageConfig
from stacks.constructs.grants import allow, allow_pass_role
from stacks.constructs.names import machine_arns, slash_arn, stage_resources
from stacks.constructs.python_function import PythonFunction, log_retention
from stacks.constructs.storage import Storage

DEFINITION = ROOT / "stacks" / "evaluation.asl.yaml"


def evaluation_machine(
    stack: cdk.Stack,
    *,
    config: StageConfig,
    storage: Storage,
    functions: Mapping[str, PythonFunction],
    judge_role: iam.Role,
) -> sfn.StateMachine:
    """The machine of `evaluation.asl.yaml`; a definition from a file brings no grants."""
    definition = json.dumps(_definition(config), indent=1)
    substitutions = {name: f.function_arn for name, f in functions.items()}
    substitutions |= {
        "Partition": stack.partition,
        "Region": stack.region,
        "Stage": config.name,
        "RunsTable": storage.runs_table.table_name,
    }
    machine = sfn.StateMachine(
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
    called = [function.function_arn for function in functions.values()]
    storage.allow_read(machine, "runs/*/shards.json", "runs/*/job_requests.json")
    storage.allow_table(machine, "GetItem")
    if config.kms_key:
        _grant_key(machine, config.kms_key)
    allow_pass_role(machine, judge_role, "sagemaker.amazonaws.com")
    allow(machine, (["lambda:InvokeFunction"], called))
    _grant_jobs(machine, stack, config)
    return machine


def _definition(config: StageConfig) -> dict[str, Any]:
    """The file's states, and in the requests that jobs are made of what the stage demands of all.

    A path to what a request does not hold would fail an execution, so that neither is in the file.
    """
    definition: dict[str, Any] = ryaml.loads(DEFINITION.read_text(encoding="utf-8"))
    states = definition["States"]
    training = states["RunJudgeJobs"]["ItemProcessor"]["States"]["RunJudgeJob"]["Parameters"]
    bedrock = states["RunBedrockJobs"]["ItemProcessor"]["States"]["StartBedrockJob"]["Parameters"]
    if config.vpc:
        training["VpcConfig"] = {
            "Subnets": list(config.vpc.subnets),
            "SecurityGroupIds": list(config.vpc.security_groups),
        }
    if config.kms_key:
        bedrock["CustomerEncryptionKeyId"] = config.kms_key
    return definition


def _grant_jobs(machine: sfn.StateMachine, stack: cdk.Stack, config: StageConfig) -> None:
    """The machine's own children, and SageMaker's jobs, of which rules of AWS's tell it the end."""
    rule = "StepFunctionsGetEventsForSageMakerTrainingJobsRule"
    allow(
        machine,
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
            [slash_arn(stack, "events", "rule", rule)],
        ),
    )


def _grant_key(machine: sfn.StateMachine, key: str) -> None:
    """Whoever starts a job of Bedrock's hands the key on to it, and to nobody but AWS's services.

    https://docs.aws.amazon.com/bedrock/latest/userguide/model-evaluation-security-kms.html
    """
    for_services = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    allow(machine, (["kms:DescribeKey"], [key]))
    allow(machine, (["kms:CreateGrant"], [key]), where=for_services)
