"""What the process imports from which functions, containers and accounts are forked."""

import gc
import logging
import sys
from importlib import import_module
from typing import Any

from nova_judge_local.engine.clients import KEY
from nova_judge_local.local_folders import FUNCTIONS

CONTAINER = "nova_judge_local.container.entry"
SERVICES = {
    "s3": "list_objects_v2",
    "sagemaker": "list_endpoints",
    "sagemaker-runtime": None,
    "stepfunctions": None,
    "events": None,
    "sns": None,
    "iam": None,
    "ecr": None,
    "service-quotas": "list_service_quotas",
}
"""What every run asks, and a list of it that comes in pages."""
LATE = (
    "duckdb",
    "numpy.random",
    "numpy.ma",
    "nova_judge.report.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.style",
    "encodings.idna",
    "importlib.readers",
)
"""Modules that are imported where they are first used, which every fork would do by itself."""
OF_ACCOUNTS = (
    "defusedxml.ElementTree",
    "hypercorn.asyncio",
    "jsonata",
    "nova_judge_local.bedrock.batches",
    "nova_judge_local.bedrock.evaluations",
    "nova_judge_local.bedrock.runtime_api",
    "nova_judge_local.engine.account_facts",
    "nova_judge_local.sagemaker.described",
    "nova_judge_local.sagemaker.hosted_models",
    "nova_judge_local.sagemaker.training_jobs",
    "yaml",
)
"""What an account imports, but for the engine, which reads its environment meanwhile."""
ANSWERED = (*SERVICES, "cloudformation", "lambda", "logs", "sts")
"""Services by whose models an account answers."""


def prepare(*, accounts: bool = False) -> None:
    """Import what functions and containers need, and accounts too, so that forks share it."""
    gc.disable()
    if accounts:
        for name in OF_ACCOUNTS:
            import_module(name)
        service_model: Any = import_module("nova_judge_local.service_models").service_model
        for service in ANSWERED:
            service_model(service)
    _import()
    gc.freeze()  # a collection in a fork would copy every page of what is imported here
    gc.enable()


def _import() -> None:
    """Every handler's imports stay, the handlers go: each worker imports its own."""
    for file in sorted((FUNCTIONS / "lambdas").glob("*.py")):
        import_module(f"lambdas.{file.stem}")
    for name in (CONTAINER, *LATE):
        import_module(name)
    page: Any = import_module("nova_judge.report.page")
    markdown: Any = import_module("nova_judge.report.markdown")
    for name in [name for name in sys.modules if name.partition(".")[0] == "lambdas"]:
        del sys.modules[name]
    del sys.modules[CONTAINER]
    for templates, form in (
        (page.environment(), ".html.j2"),
        (markdown.markdown_environment(), ".md.j2"),
    ):
        for name in templates.list_templates():
            if name.endswith(form):
                templates.get_template(name)  # compiled here, and not by every fork that reports
    # Their loggers write to what is standard output here; each worker makes its own.
    logging.Logger.manager.loggerDict.clear()
    import boto3  # noqa: PLC0415 - in this process alone

    # The session keeps what it reads of these services, and nothing of this key.
    boto3.setup_default_session()
    key = {"aws_access_key_id": KEY, "aws_secret_access_key": KEY}
    make: Any = boto3
    make.resource("dynamodb", "us-east-1", **key)
    for service, pages in SERVICES.items():
        client = make.client(service, "us-east-1", **key)
        if pages:
            client.can_paginate(pages)
