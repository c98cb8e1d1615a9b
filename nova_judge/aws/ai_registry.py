"""Registers data sets and scorers in SageMaker's AI registry, with AWS's own SDK.

The SDK is the extra `registry`: nothing else needs it.
"""

import importlib
from pathlib import Path
from typing import Any, NamedTuple

from nova_judge.errors import RegistryError
from nova_judge.extras import require

REWARD_FUNCTION = "RewardFunction"


class Registered(NamedTuple):
    """Entry that the registry made of it; recipes name it by `arn`."""

    name: str
    version: str
    arn: str


def register_dataset(name: str, source: str, *, role: str | None, wait: bool) -> Registered:
    """Register a file or an S3 object as a data set. Raises RegistryError."""
    if not source.startswith("s3://") and not Path(source).is_file():
        raise RegistryError(f"{source}: neither a file nor an S3 URI")
    return _create(
        "sagemaker.ai_registry.dataset", "DataSet", name=name, source=source, role=role, wait=wait
    )


def register_scorer(name: str, source: str, *, role: str | None, wait: bool) -> Registered:
    """Register a Lambda function, or a Python file with a handler, as an evaluator."""
    if not source.startswith("arn:") and not Path(source).is_file():
        raise RegistryError(f"{source}: neither a file nor the ARN of a Lambda function")
    return _create(
        "sagemaker.ai_registry.evaluator",
        "Evaluator",
        name=name,
        source=source,
        type=REWARD_FUNCTION,
        role=role,
        wait=wait,
    )


def _create(module: str, kind: str, **arguments: Any) -> Registered:  # noqa: ANN401 - the SDK's
    require("registry", "sagemaker")
    factory = getattr(importlib.import_module(module), kind)
    try:
        made = factory.create(**arguments)
    except Exception as error:  # the SDK raises whatever it met
        raise RegistryError(f"{kind}.create failed: {type(error).__name__}: {error}") from error
    return Registered(made.name, str(made.version), made.arn)
