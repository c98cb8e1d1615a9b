"""The one construct that makes every function: code, a layer of dependencies, log and limits."""

import shutil
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.settings import FunctionSettings, environment
from nova_judge.folders import ROOT
from stacks.config import StageConfig, Vpc
from stacks.constructs.grants import allow, let_functions_in

RUNTIME = lambda_.Runtime.PYTHON_3_13
PLATFORM = "x86_64-manylinux_2_28"  # duckdb has no older wheels; the runtime has glibc 2.34
MOST_LAYER_BYTES = 240 * 1024**2
"""Lambda takes 250 MiB of layer and code, unpacked; the code has the rest."""
_CODE = [
    "/*",
    "!/lambdas",
    "!/nova_judge",
    "!/recipes",
    "!/scorers",
    "/nova_judge/api",
    "/nova_judge/cli",
    "__pycache__",
    "*.pyc",
]


@jsii.implements(cdk.ILocalBundling)
class _Dependencies:
    """Installs the layer's wheels for Lambda's platform; no Docker, whatever machine this is."""

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
        if uv is None:
            raise RuntimeError("uv is not installed: run `make setup`, or `pip install uv`")
        target = Path(output_dir) / "python"
        requirements = ROOT / "lambdas" / "requirements.txt"
        version = RUNTIME.name.removeprefix("python")
        from_where = (
            "--require-hashes",
            "--requirement",
            str(requirements),
            "--target",
            str(target),
        )
        platform = ("--python-platform", PLATFORM, "--python-version", version)
        wheels = ("--only-binary", ":all:")
        command = [uv, "pip", "install", "--quiet", *from_where, *platform, *wheels]
        subprocess.run(command, check=True)
        for tests in [*target.glob("*/tests"), *target.glob("*/*/tests")]:
            shutil.rmtree(tests)
        check_layer(target)
        return True


def check_layer(folder: Path) -> None:
    """Fail here, and not in the middle of a deployment, when Lambda would refuse the layer."""
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size > MOST_LAYER_BYTES:
        raise RuntimeError(
            f"lambdas/requirements.txt unpacks to {size:,} bytes; Lambda leaves the layer "
            f"{MOST_LAYER_BYTES:,}: take a dependency out"
        )


def dependencies_layer(scope: Construct) -> lambda_.LayerVersion:
    """The layer of `lambdas/requirements.txt`; one a stack."""
    stack = cdk.Stack.of(scope)
    existing = stack.node.try_find_child("Dependencies")
    if isinstance(existing, lambda_.LayerVersion):
        return existing
    code = lambda_.Code.from_asset(
        str(ROOT / "lambdas"),
        exclude=["*", "!requirements.txt"],
        bundling=cdk.BundlingOptions(
            image=cdk.DockerImage.from_registry("scratch"), local=_Dependencies()
        ),
        asset_hash_type=cdk.AssetHashType.SOURCE,
    )
    return lambda_.LayerVersion(
        stack,
        "Dependencies",
        code=code,
        compatible_runtimes=[RUNTIME],
        description="numpy, duckdb, matplotlib and what else lambdas/requirements.txt names",
    )


class PythonFunction(lambda_.Function):
    """A function whose handler is `lambdas.<module>.handler`."""

    def __init__(  # noqa: PLR0913 - keyword-only, most with defaults
        self,
        scope: Construct,
        construct_id: str,
        *,
        module: str,
        settings: FunctionSettings,
        config: StageConfig,
        description: str,
        memory_mb: int = 512,
        timeout: cdk.Duration = cdk.Duration.minutes(1),  # noqa: B008 - immutable
        scratch_mb: int = 512,
    ) -> None:
        log_group = logs.LogGroup(
            scope,
            f"{construct_id}Log",
            retention=log_retention(config.log_retention_days),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        # The AWS-managed policy would let it write to every log group of the account.
        role = iam.Role(
            scope,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=description,
        )
        writes = ["logs:CreateLogStream", "logs:PutLogEvents"]
        allow(role, (writes, [log_group.log_group_arn]))
        if config.vpc:
            let_functions_in(role, cdk.Stack.of(scope), config.vpc)
        super().__init__(
            scope,
            construct_id,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.X86_64,
            code=lambda_.Code.from_asset(str(ROOT), exclude=_CODE, ignore_mode=cdk.IgnoreMode.GIT),
            handler=f"lambdas.{module}.handler",
            layers=[dependencies_layer(scope)] if config.bundle_dependencies else [],
            environment={**environment(settings), **_writable_folders(config)},
            role=role,
            description=description,
            memory_size=memory_mb,
            timeout=timeout,
            ephemeral_storage_size=cdk.Size.mebibytes(scratch_mb),
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
        )
        if config.vpc:
            self._move_into(config.vpc)

    def _move_into(self, vpc: Vpc) -> None:
        """By ids alone: the L2 property asks for the VPC's id and zones, which nothing needs."""
        self.resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
            subnet_ids=list(vpc.subnets), security_group_ids=list(vpc.security_groups)
        )

    def keep_lost_events(
        self, dead_letters: sqs.Queue, max_event_age: cdk.Duration | None = None
    ) -> None:
        """Try an event three times, and leave it in a queue after that."""
        self.configure_async_invoke(
            retry_attempts=2,
            on_failure=destinations.SqsDestination(dead_letters),
            max_event_age=max_event_age,
        )

    @property
    def resource(self) -> lambda_.CfnFunction:
        """The resource of the template, for what the L2 construct cannot set."""
        resource = self.node.default_child
        if not isinstance(resource, lambda_.CfnFunction):
            raise TypeError("a function is made of a CfnFunction")
        return resource


def _writable_folders(config: StageConfig) -> dict[str, str]:
    """Lambda's file system is read-only but for /tmp; the local stage has a cache of its own."""
    return {"MPLCONFIGDIR": "/tmp/matplotlib"} if config.bundle_dependencies else {}  # noqa: S108


_OFFERED = {
    7: "ONE_WEEK",
    30: "ONE_MONTH",
    90: "THREE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    731: "TWO_YEARS",
    1827: "FIVE_YEARS",
    3653: "TEN_YEARS",
}


def retention_days(days: int) -> int:
    """The shortest retention that CloudWatch Logs offers for at least so many days; 0 is for ever.

    Of those it offers, these are enough for us.
    """
    return next((offered for offered in _OFFERED if offered >= days), 0)


def log_retention(days: int) -> logs.RetentionDays:
    """`retention_days` as the CDK names it."""
    return logs.RetentionDays[_OFFERED.get(retention_days(days), "INFINITE")]
