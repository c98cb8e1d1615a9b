"""Rules that Bedrock's jobs share: their models have a pattern, their ARNs look alike."""

import re
import uuid
from typing import Any

from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.sagemaker.api import ApiError, Parameters
from nova_judge_local.service_models import service_model


def check_pattern(shape: str, member: str, parameters: Parameters) -> None:
    """Raises ApiError where a member does not match its pattern, which botocore leaves to AWS.

    Of models the pattern of batch inference has no imported ones, deployments, provisioned
    throughput and routers.
    """
    structure: Any = service_model("bedrock").shape_for(shape)
    pattern = structure.members[member].metadata["pattern"]
    if not re.fullmatch(pattern, str(parameters[member])):
        raise ApiError(
            "ValidationException",
            f"Value '{parameters[member]}' at '{member}' failed to satisfy constraint: Member must "
            f"satisfy regular expression pattern: {pattern}",
        )


def new_arn(settings: EmulatorSettings, kind: str) -> str:
    """The ARN of a job that was not there before."""
    place = f"{settings.region}:{settings.account}"
    return f"arn:aws:bedrock:{place}:{kind}/{uuid.uuid4().hex[:12]}"
