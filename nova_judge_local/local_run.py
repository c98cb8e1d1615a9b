"""One evaluation on this machine: the real stacks, state machine and functions, without AWS."""

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote

import msgspec

from nova_judge.aws.executions import Execution, follow
from nova_judge.errors import LocalModeError
from nova_judge.inputs.dataset import HEAD_BYTES
from nova_judge.json_lines import lines_of
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.layout import INBOX, RECIPES
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import Candidate
from nova_judge.sources.known_sources import asked_models
from nova_judge.sources.openai_server import keys_of
from nova_judge.text import storable
from nova_judge_local import output_folder
from nova_judge_local.bedrock import own_account
from nova_judge_local.emulator_settings import (
    DEFAULT_CALLS,
    ChatServer,
    EmulatorSettings,
    JudgeCalls,
)
from nova_judge_local.engine.deploy import Outputs, deploy
from nova_judge_local.engine.emulator import Emulator
from nova_judge_local.judges.chat_server import check_servers, parse_chat_server
from nova_judge_local.judges.model_answers import answer_files
from nova_judge_local.judges.pair_judges import judge_from
from nova_judge_local.local_folders import CACHE
from nova_judge_local.named_candidates import bedrock_models, local_recipe
from nova_judge_local.supposed_models import suppose_models

KEPT = ".nova-judge-kept"
"""The folder beside the output folder that keeps verdicts by content."""
REFERENCE = "reference"
START_S = 20.0
_NETWORK = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Request of a run. `recipe` is a name or a YAML file; `out` gets the run.

    `input` is None for evaluations that read no file; `names` are those of its candidates.
    `candidates`: models that answer in place of the recipe's.
    """

    input: Path | None
    recipe: str
    out: Path
    judge: str = REFERENCE
    answers: Path | None = None
    endpoints: str | None = None
    calls: JudgeCalls = DEFAULT_CALLS
    names: Mapping[str, str] = field(default_factory=dict)
    candidates: Mapping[Candidate, str] = field(default_factory=dict)


class RunResult(NamedTuple):
    """Result of the run. `error` and `cause` are the execution's own when it failed.

    `refused` says why a candidate got no answer, if its stand-in refused any; `logs` is the folder
    of what the functions and jobs of a failed run wrote.
    """

    folder: Path
    status: str
    error: str | None
    cause: str | None
    refused: str | None
    logs: Path | None


class Watch(Protocol):
    """Observer that hears what happens."""

    def say(self, line: str) -> None:
        """A line that stays."""

    def step(self, title: str) -> AbstractContextManager[object]:
        """A step that is under way until its block ends."""

    def state(self, name: str, answered: int, judged: int, rows: int) -> None:
        """The state that the execution is in, and the rows done so far of those in the input."""


def run(
    request: RunRequest, watch: Watch, hold: Callable[[Emulator], None] | None = None
) -> RunResult:
    """Deploy, upload, follow, fetch; `hold` is called before all is stopped.

    Raises `LocalModeError` (and `RecipeError` for the recipe) when it cannot even begin.
    """
    settings, timeout_s = settings_for(request, os.environ), request.calls.timeout_s
    recipe, text = local_recipe(request.recipe, request.candidates, os.environ, timeout_s)
    _require_prompts(request, recipe)
    if recipe.judge.asked and request.judge != REFERENCE:
        raise LocalModeError(
            f"recipe {recipe.name} names its judge in judge.model, which is asked itself: leave "
            "--judge out."
        )
    typed = [f"candidates.{side}" for side in request.candidates]
    keys = keys_of(asked_models(recipe), os.environ, typed)
    settings = msgspec.structs.replace(settings, model_keys=keys)
    with output_folder.held(request.out):
        models = bedrock_models(request.candidates)
        for note in (*check_servers(settings, recipe), *own_account.check_models(models)):
            watch.say(note)
        with own_account.answering(models, request.calls.kept) as own:
            settings = msgspec.structs.replace(settings, own_bedrock=own)
            return _run(request, settings, recipe, text, watch, hold)


def _run(
    request: RunRequest,
    settings: EmulatorSettings,
    recipe: Recipe,
    text: str,
    watch: Watch,
    hold: Callable[[Emulator], None] | None,
) -> RunResult:
    with Emulator(settings) as emulator:
        with watch.step("Deploy the stacks to an emulated account"):
            outputs = deploy(emulator.client)
            suppose_models(recipe, emulator.client)
        with watch.step("Evaluate"):
            ended = _evaluate(request, recipe, text, outputs, emulator, watch)
        with watch.step("Fetch the run"):
            logs = [] if ended.status == "SUCCEEDED" else emulator.logs()
            s3 = emulator.client("s3")
            output_folder.fetch(s3, outputs["DataBucketName"], request.out, logs)
        refused = emulator.refused()
        if hold is not None:
            hold(emulator)
    kept = request.out / output_folder.LOGS if logs else None
    return RunResult(request.out, ended.status, ended.error, ended.cause, refused, kept)


def settings_for(request: RunRequest, environment: Mapping[str, str]) -> EmulatorSettings:
    """The emulated account that the request needs; checks what it names before anything starts."""
    for path in (request.input, request.out, request.answers):
        if storable(str(path)) != str(path):
            raise LocalModeError(
                f"{path}: its name is not UTF-8: rename it, or set LC_ALL=C.UTF-8."
            )
    if request.input is not None and not request.input.is_file():
        raise LocalModeError(f"{request.input}: there is no such file.")
    if request.input is not None and "." not in request.input.name:
        raise LocalModeError(
            f"{request.input}: an upload starts a run by its file extension: add .jsonl."
        )
    judge = _absolute(request.judge)
    judge_from(judge, request.calls)
    return EmulatorSettings(
        judge=judge,
        judge_environment=_judge_environment(judge, environment),
        judge_calls=request.calls,
        answers=answer_files(request.answers) if request.answers else (),
        chat_server=_chat_server(request.endpoints, environment, request.calls.timeout_s),
        cache=str(CACHE) if CACHE else None,
        any_model=True,
    )


def _require_prompts(request: RunRequest, recipe: Recipe) -> None:
    """Raises LocalModeError where candidates are named whose answers the file brings."""
    if not request.candidates or request.input is None:
        return
    with request.input.open("rb") as file:
        sources = kind_of(recipe.kind).sources(recipe, file.read(HEAD_BYTES))
    if sources is not None and "generated" not in sources:
        raise LocalModeError(
            f"{request.input} brings the answers of both candidates, so nobody would be asked: "
            "leave --a and --b out, or give the file's prompts alone (--map ignore=response_A,"
            "ignore=response_B)."
        )


def _absolute(judge: str) -> str:
    """The judge runs in a folder of its own, so its file needs its whole path."""
    kind, _, rest = judge.partition(":")
    return f"recorded:{Path(rest).resolve()}" if kind == "recorded" and rest else judge


def _judge_environment(judge: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The user's credentials, and only for the judge that was asked for."""
    kind = judge.partition(":")[0]
    if kind == "bedrock":
        wanted = [name for name in environment if name.startswith("AWS_")]
    elif kind == "openai":
        wanted = ["OPENAI_API_KEY"]
    else:
        return {}
    return {name: environment[name] for name in (*wanted, *_NETWORK) if name in environment}


def _chat_server(
    spec: str | None, environment: Mapping[str, str], timeout_s: float
) -> ChatServer | None:
    if spec is None:
        return None
    kind, _, rest = spec.partition(":")
    if kind != "openai":
        raise LocalModeError(f"{spec!r} is not a server: write --endpoints openai:URL[#MODEL].")
    server = parse_chat_server(rest, environment.get("OPENAI_API_KEY"))
    return msgspec.structs.replace(server, timeout_s=timeout_s)


def _evaluate(
    request: RunRequest,
    recipe: Recipe,
    text: str,
    outputs: Outputs,
    emulator: Emulator,
    watch: Watch,
) -> Execution:
    bucket, machine = outputs["DataBucketName"], outputs["StateMachineArn"]
    s3 = emulator.client("s3")
    s3.put_object(Bucket=bucket, Key=f"{RECIPES}{recipe.name}.yaml", Body=text.encode())
    if request.input is not None:
        emulator.tell_judge(request.input)
        metadata = {"Metadata": {key: quote(name) for key, name in request.names.items()}}
        key = f"{INBOX}{recipe.name}/{request.input.name}"
        s3.upload_file(str(request.input), bucket, key, ExtraArgs=metadata)
    else:
        emulator.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps({"recipe": recipe.name})
        )
    execution = _started(emulator, machine)
    rows = 0
    if request.input is not None:
        with request.input.open("rb") as lines:
            rows = sum(1 for _ in lines_of(lines))
    if recipe.many:  # each pair of candidates judges every row
        rows *= len(recipe.compared)
    replies_per_row, answers, judging = 2 * len(recipe.judge.asked), 0, False
    for look in follow(emulator.client("stepfunctions"), execution):
        done, judged = emulator.answered(), emulator.judged()
        judging = judging or "Judge" in look.state  # AskJudge, or a state in it
        if judging and replies_per_row:
            judged = (done - answers) // replies_per_row
        else:
            answers = done
        watch.state(look.state, answers, judged, rows)
    return look


def _started(emulator: Emulator, machine: str) -> str:
    """The execution that the upload started."""
    deadline = time.monotonic() + START_S
    client = emulator.client("stepfunctions")
    while time.monotonic() < deadline:
        executions = client.list_executions(stateMachineArn=machine)["executions"]
        if executions:
            return str(executions[0]["executionArn"])
        time.sleep(0.05)
    raise LocalModeError(
        f"The upload started no execution within {START_S:.0f} s: the file's name must end in"
        " .jsonl, and the stack's rule must be there."
    )
