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


def prompt_routers(stack: cdk.Stack) -> list[str]:
    """Routers answer calls alone, by models that `bedrock_models` names."""
    return [bedrock_jobs(stack, kind) for kind in ("default-prompt-router", "prompt-router")]


def stage_resources(stack: cdk.Stack, config: StageConfig, resource: str) -> str:
    """Everything of SageMaker of that kind that this stage names."""
    return stack.format_arn(
        service="sagemaker", resource=resource, resource_name=f"{config.prefix}-*"
    )


def bedrock_jobs(stack: cdk.Stack, kind: str) -> str:
    """All of Bedrock's jobs or models of a kind: their ARNs hold a number, and no name of ours."""
    return stack.format_arn(service="bedrock", resource=kind, resource_name="*")


def pascal(*names: str) -> str:
    """A construct's id from names with dots, hyphens and underscores."""
    return "".join(word.capitalize() for name in names for word in re.split(r"[._-]", name))


def machine_arns(stack: cdk.Stack, name: str) -> list[str]:
    """The machine, its executions and map runs; by name, as its role would refer to it."""
    machine, runs = (
        _of_machine(stack, "stateMachine", name),
        _of_machine(stack, "mapRun", f"{name}/*"),
    )
    return [machine, *execution_arns(stack, name), runs]


def execution_arns(stack: cdk.Stack, name: str) -> list[str]:
    """The executions of the machine of that name, and those that its maps start."""
    return [_of_machine(stack, "execution", f"{name}{rest}") for rest in (":*", "/*")]


def _of_machine(stack: cdk.Stack, kind: str, resource: str) -> str:
    colon = cdk.ArnFormat.COLON_RESOURCE_NAME
    return stack.format_arn(
        service="states", resource=kind, resource_name=resource, arn_format=colon
    )


def default_bus(stack: cdk.Stack) -> str:
    """The account's own event bus."""
    return stack.format_arn(service="events", resource="event-bus", resource_name="default")
