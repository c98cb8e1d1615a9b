"""botocore's models of services, which are large: each is read once, also for what is forked."""

import functools
from typing import Any

import botocore.session
from botocore.model import ServiceModel


@functools.cache
def service_model(service: str) -> ServiceModel:
    """Everything that botocore knows of a service; raises its UnknownServiceError."""
    return _session().get_service_model(service)


def service_data(service: str) -> dict[str, Any]:
    """The file that this is read from; raises botocore's UnknownServiceError."""
    data: dict[str, Any] = _session().get_service_data(service)
    return data


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()
