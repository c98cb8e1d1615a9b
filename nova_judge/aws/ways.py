"""The ways to models of a deployed function, or of a command with AWS credentials."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.util import parse_url

from nova_judge.answers.answers import Port
from nova_judge.answers.kept_texts import KeptTexts
from nova_judge.answers.lane import MOST_THREADS
from nova_judge.aws.client_errors import code_of
from nova_judge.aws.endpoint_lifecycle import endpoint_facts
from nova_judge.aws.model_ports import ConversePort, EndpointPort, config
from nova_judge.errors import GenerationFailedError
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.http_calls import GONE_AFTER_S, ServerPort
from nova_judge.sources.openai_server import variable_of
from nova_judge.sources.request_forms import ChatForm, Form, PlainForm, RequestForm

AT_HAND_S = 5.0
"""Seconds for which a server may take no connections, where somebody waits at a terminal."""
_CREATE = "create it in Secrets Manager with the key of the server as its text, and no other text"
_MAY_NOT_READ = (
    "the stage's functions may by their roles; look for the key policy of the KMS key that it is "
    "encrypted with, its resource policy, or a service control policy"
)


class AwsWays:
    """`source.Ways` with boto3's clients; `prefix` is that of the stage's names.

    Only commands and local mode have `keys`, by their secrets' names; without a prefix no other
    key is read. Only local mode has a file of answers that are `kept`.
    """

    def __init__(
        self, prefix: str, keys: Mapping[str, str] | None = None, kept: Path | None = None
    ) -> None:
        self._prefix, self._keys = prefix, keys or {}
        self._kept = None if kept is None else KeptTexts(kept)

    def afresh(self) -> "AwsWays":
        """The same ways, on which no kept answer stands in for a call."""
        return AwsWays(self._prefix, self._keys)

    def bedrock(self, model: str, how: Generation) -> Port:
        """A Bedrock model, through Converse."""
        client = boto3.client("bedrock-runtime", config=config(MOST_THREADS, how.call_timeout_s))
        return ConversePort(client, model, how)

    def stage_endpoint(self, model: str, form: RequestForm, how: Generation) -> Port:
        """The endpoint that this stage has for a model of the catalogue."""
        client = boto3.client("sagemaker-runtime", config=config(MOST_THREADS, how.call_timeout_s))
        return EndpointPort(client, catalog.endpoint_name(self._prefix, model), form)

    def account_endpoint(
        self, name: str, component: str | None, form: Form | None, how: Generation
    ) -> Port:
        """An endpoint that the account has; without a form its image decides."""
        client = boto3.client("sagemaker-runtime", config=config(MOST_THREADS, how.call_timeout_s))
        if form is None:
            asked = (component,) if component else ()
            facts = endpoint_facts(boto3.client("sagemaker"), name, asked)
            form = facts.form(component) if facts else None
        if form is None:
            raise GenerationFailedError(
                f"endpoint {name}: its image does not say how to ask it: write form: chat, or "
                "form: text, beside `endpoint` in the recipe"
            )
        spoken = ChatForm(None, how) if form == "chat" else PlainForm(how)
        return EndpointPort(client, name, spoken, component)

    def server(self, url: str, form: ChatForm, how: Generation, secret: str | None) -> Port:
        """A server by the address of its API, with the key that its host's secret holds."""
        key = None if secret is None else self.key_of(url, secret)
        return ServerPort(
            url,
            form,
            key,
            threads=MOST_THREADS,
            timeout_s=how.call_timeout_s,
            kept=self._kept,
            gone_after_s=GONE_AFTER_S if self._prefix and self._kept is None else AT_HAND_S,
        )

    def key_of(self, url: str, secret: str) -> str:
        """The key of one host: a recipe cannot have it sent to another one.

        Raises GenerationFailedError.
        """
        host = parse_url(url).host or ""
        if secret in self._keys:
            return self._keys[secret]
        if not self._prefix:
            raise GenerationFailedError(
                f"secret {secret}: its key is not known, because this command reads no "
                f"secrets of an account: set {variable_of(secret)}"
            )
        make: Any = boto3.client
        name = f"{self._prefix}/{host}/{secret}"
        try:
            return str(make("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
        except (BotoCoreError, ClientError, KeyError) as error:
            reason = code_of(error) if isinstance(error, ClientError) else type(error).__name__
            cure = _MAY_NOT_READ if "AccessDenied" in reason else _CREATE
            raise GenerationFailedError(
                f"the secret {name} cannot be read ({reason}): {cure}"
            ) from error
