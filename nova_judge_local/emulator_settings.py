"""Settings of an emulated AWS account before it starts: data that crosses a process border."""

from typing import Any, Literal

import msgspec

LOOPBACK = "127.0.0.1"
FUNCTION_ERRORS = "function-errors.log"
CHAT_SERVER = "NOVA_JUDGE_CHAT_SERVER"
"""The variable that holds a ChatServer as JSON, in the environment of a job's container."""
KEPT_ANSWERS = "answers.jsonl"
"""The file of answers by content, in the folder of what is kept."""


class JobFault(msgspec.Struct, frozen=True, kw_only=True):
    """A training job that does not complete; concerns jobs whose name contains `job`."""

    job: str = ""
    outcome: Literal["refused", "failed", "stopped"] = "failed"
    reason: str = "AlgorithmError: injected failure, exit code: 1"
    times: int = 1_000_000


class EndpointFault(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that misbehaves; concerns endpoints whose name contains `endpoint`.

    `refused` raises ResourceLimitExceeded on creation, `no_capacity` ends the creation as Failed.
    Of the invocations every `every`-th (0: none) and those beyond `max_in_flight` at once
    (0: no limit) get `status`. `latency_s` delays each answer, `creation_s` the creation itself.
    """

    endpoint: str = ""
    creation: Literal["normal", "refused", "no_capacity"] = "normal"
    status: int = 429
    every: int = 0
    max_in_flight: int = 0
    latency_s: float = 0.0
    creation_s: float = 0.0
    times: int = 1_000_000


class ChatServer(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAI-compatible server that answers for the candidates: base URL up to `/v1`.

    Without `model` the name that the candidate asks for is sent on; `timeout_s` is the most
    that one answer may take.
    """

    url: str
    model: str | None = None
    api_key: str | None = None
    timeout_s: float = 600.0


class OwnBedrock(msgspec.Struct, frozen=True, kw_only=True):
    """Bedrock models that answer themselves: the address on loopback, under a token."""

    url: str
    token: str
    models: tuple[str, ...]


class JudgeCalls(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of calls to the judge: rows at once, seconds for an answer, tokens of an answer.

    Without `max_tokens` the form of the judgment decides. `kept` is the folder in which verdicts
    and answers are kept by content, so that nothing is asked twice.
    """

    concurrency: int = 64
    timeout_s: float = 600.0
    max_tokens: int | None = None
    kept: str | None = None


DEFAULT_CALLS = JudgeCalls()


def answering(server: ChatServer | None) -> str:
    """Name in reports for what answers in place of the models."""
    if server is None:
        return "recorded answers"
    return f"openai ({server.model or 'the models asked for'})"


class EmulatorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The emulated account. Durations in seconds; `wait_scale` shortens state machines' waits.

    `answers`: files of recorded answers, `{model, prompt, response}` a line. `model_keys`: keys of
    model servers by their secrets' names.
    `judge`: the spec of the stand-in judge (see `judges.py`). `judge_environment`: variables that
    only the judge's process sees, such as real credentials. `cache`: a folder for what may
    outlive the run.
    `quotas`: service quotas by name that differ from what every account here has;
    `absent_images`: tags that no registry has. `described`: model packages by their ARNs, and
    training jobs by their names, as SageMaker describes them. `any_model`: every model that a
    recipe names counts as there, and as one that the stage serves. `forks`: the address
    of a process from which the functions of several accounts are forked; else each has its own.
    """

    account: str = "123456789012"
    region: str = "us-east-1"
    judge: str = "reference"
    judge_environment: dict[str, str] = {}
    judge_calls: JudgeCalls = DEFAULT_CALLS
    answers: tuple[str, ...] = ()
    chat_server: ChatServer | None = None
    own_bedrock: OwnBedrock | None = None
    model_keys: dict[str, str] = {}
    cache: str | None = None
    wait_scale: float = 0.05
    endpoint_start_s: float = 0.1
    job_start_s: float = 0.05
    enforce_iam: bool = False
    job_faults: tuple[JobFault, ...] = ()
    endpoint_faults: tuple[EndpointFault, ...] = ()
    quotas: dict[str, float] = {}
    absent_images: tuple[str, ...] = ()
    described: dict[str, dict[str, Any]] = {}
    any_model: bool = False
    forks: str | None = None


class Start(msgspec.Struct, frozen=True):
    """First message to the emulator: the settings, and the folder it may write to."""

    settings: EmulatorSettings
    folder: str
