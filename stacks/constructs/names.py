"""ARNs of what a stage names, of the models that recipes may name, and of the state machine."""

import re

import aws_cdk as cdk

from stacks.config import StageConfig


def bedrock_models(stack: cdk.Stack) -> list[str]:
    """Recipes name the model; an inference profile calls it in every region that it spans."""
    own = f"arn:{stack.partition}:bedrock:*:{stack.account}"
    return [
        f"arn:{stack.partition}:bedrock:*::foundation-model/*",
        f"{own}:inference-profile/*",
        f"{own}:application-inference-profile/*",
    ]


def own_models(stack: cdk.Stack) -> list[str]:
    """The account's own models that answer calls, in the stack's region."""
    kinds = ("custom-model-deployment", "imported-model", "provisioned-model")
    return [bedrock_jobs(stack, kind) for kind in kinds]


def stage_resources(stack: cdk.Stack, config: StageConfig, kind: str, names: str = "*") -> str:
    """Everything of SageMaker of that kind that this stage names; of it, what a pattern does."""
    return slash_arn(stack, "sagemaker", kind, f"{config.prefix}-{names}")


def sagemaker_arns(stack: cdk.Stack, kind: str, *names: str) -> list[str]:
    """Resources of SageMaker's by their names, or by patterns of them.

    SageMaker writes the names in its ARNs in lower case, and IAM compares them as they stand.
    """
    both = dict.fromkeys([*names, *(name.lower() for name in names)])
    return [slash_arn(stack, "sagemaker", kind, name) for name in both]


def repository_arn(stack: cdk.Stack, account: str, name: str) -> str:
    """A repository of images that an account has in the stack's region."""
    return stack.format_arn(
        service="ecr", account=account, resource="repository", resource_name=name
    )


def slash_arn(stack: cdk.Stack, service: str, kind: str, name: str) -> str:
    """The ARN of what this account has in the stack's region."""
    return stack.format_arn(service=service, resource=kind, resource_name=name)


def colon_arn(stack: cdk.Stack, service: str, kind: str, name: str) -> str:
    """The ARN of what has a colon before its name, where others have a slash."""
    return stack.format_arn(
        service=service,
        resource=kind,
        resource_name=name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


def secret_keys(stack: cdk.Stack, config: StageConfig, host: str = "") -> str:
    """The secrets of the stage, or of one host's models."""
    return colon_arn(stack, "secretsmanager", "secret", f"{config.prefix}/{host}*")


def bedrock_jobs(stack: cdk.Stack, kind: str) -> str:
    """All of Bedrock's jobs or models of a kind: their ARNs hold a number, and no name of ours."""
    return slash_arn(stack, "bedrock", kind, "*")


def pascal(*names: str) -> str:
    """A construct's id from names with dots, hyphens and underscores."""
    return "".join(word.capitalize() for name in names for word in re.split(r"[._-]", name))


def machine_arns(stack: cdk.Stack, name: str) -> list[str]:
    """The machine, its executions and map runs; by name, as its role would refer to it."""
    machine = colon_arn(stack, "states", "stateMachine", name)
    return [
        machine,
        *execution_arns(stack, name),
        colon_arn(stack, "states", "mapRun", f"{name}/*"),
    ]


def execution_arns(stack: cdk.Stack, name: str) -> list[str]:
    """The executions of the machine of that name, and those that its maps start."""
    return [colon_arn(stack, "states", "execution", f"{name}{rest}") for rest in (":*", "/*")]
