"""Rules that Bedrock's jobs share: their requests are checked, their ARNs look alike."""

import uuid

from botocore.validate import ParamValidator

from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.sagemaker.api import ApiError, Parameters
from nova_judge_local.service_models import service_model


def check_request(shape: str, parameters: Parameters) -> None:
    """Raises ApiError where botocore's model of the service would refuse the request."""
    report = ParamValidator().validate(parameters, service_model("bedrock").shape_for(shape))
    if report.has_errors():
        raise ApiError("ValidationException", report.generate_report())


def new_arn(settings: EmulatorSettings, kind: str) -> str:
    """The ARN of a job that was not there before."""
    place = f"{settings.region}:{settings.account}"
    return f"arn:aws:bedrock:{place}:{kind}/{uuid.uuid4().hex[:12]}"
