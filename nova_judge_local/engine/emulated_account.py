"""The emulated account: the engine with our plug-ins in place.

Imported in the emulator's own process only, after its environment is set: the engine reads the
environment while it is imported.
"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import msgspec
from botocore.config import Config
from ministack import app
from ministack.services.cloudformation import provisioners

from nova_judge.folders import ROOT
from nova_judge_local.bedrock import runtime_api
from nova_judge_local.bedrock.batches import BatchInference
from nova_judge_local.bedrock.evaluations import EvaluationJobs
from nova_judge_local.emulator_settings import CHAT_SERVER, FUNCTION_ERRORS, EmulatorSettings
from nova_judge_local.engine import (
    account_facts,
    authorization,
    hooks,
    state_machine_tasks,
)
from nova_judge_local.engine.fork_imports import CONTAINER
from nova_judge_local.engine.function_processes import Forks
from nova_judge_local.judges.answer_judge import answer_judge
from nova_judge_local.judges.model_answers import Answers, answers_from
from nova_judge_local.sagemaker.api import Parameters, SageMakerApi
from nova_judge_local.sagemaker.described import with_described
from nova_judge_local.sagemaker.hosted_models import EmulatedHosting
from nova_judge_local.sagemaker.training_jobs import Container, TrainingJobs

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SAGEMAKER_ROUTES = {
    "target_prefixes": ["SageMaker."],
    "host_patterns": [r"sagemaker\."],
    "credential_scope": "sagemaker",
}
NOUNS = ("Model", "EndpointConfig", "Endpoint")
"""The CloudFormation types of SageMaker that the stacks use: thin, the properties are the API's."""
_NUMBERS = {
    "InitialInstanceCount": int,
    "InitialVariantWeight": float,
    "VolumeSizeInGB": int,
    "ModelDataDownloadTimeoutInSeconds": int,
    "ContainerStartupHealthCheckTimeoutInSeconds": int,
}
Created: TypeAlias = tuple[str, dict[str, str]]


class Account:
    """`application` is the ASGI application to serve at `endpoint`."""

    def __init__(
        self, settings: EmulatorSettings, folder: Path, endpoint: str, forks: Forks | None
    ) -> None:
        self._folder = folder
        self.application: Any = app.app
        answers = answers_from(settings.answers, settings.chat_server, folder)
        hosting = EmulatedHosting(settings, answers, state_machine_tasks.end_waits)
        path_style = Config(s3={"addressing_style": "path"})
        s3 = boto3.client("s3", endpoint_url=endpoint, config=path_style)
        container = _container(settings, folder, endpoint)
        if forks is not None:
            container = container._replace(start=forks.start)
        self._jobs = TrainingJobs(settings, container, s3, hooks.publish_event)
        made = {**hosting.operations(), **self._jobs.operations()}
        operations = with_described(settings, made, hooks.publish_event)
        hooks.name_lambda_errors(self._function_failed)
        self._forks = forks
        if forks is not None:
            hooks.start_functions_with(forks.popen)
        _plug_in(SageMakerApi(operations, hosting.invoke), answers, settings)
        _plug_in_facts(settings)
        _plug_in_evaluations(settings, s3)
        authorization.authorize_as_aws_does()
        batches = BatchInference(settings, answers, s3)
        hooks.answer_first(
            "bedrock", lambda method, path, _, body: batches.http(method, path, body)
        )

    def _function_failed(self, function: str, message: str) -> None:
        with (self._folder / FUNCTION_ERRORS).open("a", encoding="utf-8") as log:
            log.write(f"{function}\n{message.strip()}\n")

    def stop(self) -> None:
        """End every child process."""
        self._jobs.kill_all()
        hooks.stop_workers()
        if self._forks is not None:
            self._forks.stop()


def _plug_in(api: SageMakerApi, answers: Answers, settings: EmulatorSettings) -> None:
    hooks.read_service_models_once()
    hooks.add_version_ids()
    hooks.honour_ranges_of_versions()
    authorization.answer_condition_keys()
    authorization.simulate_with_context()
    for noun in NOUNS:
        provisioners._RESOURCE_HANDLERS[f"AWS::SageMaker::{noun}"] = _handler(api, noun)
    state_machine_tasks.install(api, settings.wait_scale)
    hooks.add_service("sagemaker", SAGEMAKER_ROUTES, api.http)

    own = settings.own_bedrock
    hooks.add_service(
        "bedrock-runtime",
        None,
        lambda method, path, _, body: runtime_api.converse(answers, own, method, path, body),
    )


def _handler(api: SageMakerApi, noun: str) -> dict[str, Any]:
    key = f"{noun}Name"

    def create(logical_id: str, properties: Parameters, stack: str) -> Created:
        given = provisioners._physical_name(stack, logical_id, max_len=63).lower()
        name = properties.get(key) or given
        parameters = {**_typed(properties), key: name}
        made = api.call(f"Create{noun}", parameters)[f"{noun}Arn"]
        return made, {key: name, "Id": made}

    def delete(physical_id: str, properties: Parameters) -> None:
        name = properties.get(key) or physical_id.rsplit("/", 1)[-1]
        api.call(f"Delete{noun}", {key: name})

    return {"create": create, "delete": delete}


def _typed(properties: Parameters) -> Parameters:
    """CloudFormation hands numbers over as text."""
    typed: Parameters = json.loads(json.dumps(properties))
    for variant in typed.get("ProductionVariants", []):
        for key, number in _NUMBERS.items():
            if key in variant:
                variant[key] = number(variant[key])
    return typed


def _plug_in_facts(settings: EmulatorSettings) -> None:
    changed, absent = settings.quotas, settings.absent_images
    hooks.add_service(
        "service-quotas",
        account_facts.QUOTA_ROUTES,
        lambda _, __, headers, body: account_facts.quotas(changed, headers, body),
    )
    hooks.answer_first(
        "bedrock", lambda method, path, *_: account_facts.bedrock_model(method, path)
    )
    hooks.answer_first(
        "ecr", lambda _, __, headers, body: account_facts.registry(absent, headers, body)
    )


def _plug_in_evaluations(settings: EmulatorSettings, s3: "S3Client") -> None:
    api_key = settings.judge_environment.get("OPENAI_API_KEY")
    jobs = EvaluationJobs(settings, lambda: answer_judge(settings.judge, api_key), s3)
    state_machine_tasks.install_evaluations(jobs)
    hooks.answer_first("bedrock", lambda method, path, *_: jobs.http(method, path))


def _container(settings: EmulatorSettings, folder: Path, endpoint: str) -> Container:
    """Command that starts the Nova container's stand-in; it sees no emulated credentials."""
    passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "-m", CONTAINER]
    command += ["--judge", settings.judge, "--knowledge", str(folder / "knowledge")]
    command += ["--account", endpoint]
    command += [part for file in settings.answers for part in ("--answers", file)]
    command += ["--judge-calls", msgspec.json.encode(settings.judge_calls).decode()]
    environment = {**passed, "PYTHONPATH": str(ROOT), **settings.judge_environment}
    if settings.chat_server is not None:  # with its key, which a list of processes must not show
        environment[CHAT_SERVER] = msgspec.json.encode(settings.chat_server).decode()
    return Container(command=command, environment=environment, logs=folder / "jobs")
