"""Answers of models in local mode: those recorded in files of any form that is read, or
a server of the user's own.

An answer is never made up: a prompt that was not recorded gets an error that says so.
"""

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec
import orjson

from nova_judge.errors import LocalModeError
from nova_judge.inputs.input_file import require_records
from nova_judge.records import Unscored
from nova_judge.sources.completions import Completion
from nova_judge_local.emulator_settings import ChatServer
from nova_judge_local.judges.chat_server import RefusedByServerError, complete
from nova_judge_local.sagemaker.api import ApiError

ANSWERED, REFUSED = "answered", "refused"
_AT_ONCE = 16
_ROWS = re.compile(r"^[^.].*\.(jsonl|ndjson|json|csv|tsv|parquet)(\.gz)?$")
_FORM = 'A line is {"model": "…", "prompt": "…", "response": "…"}.'
Given = TypeVar("Given")


class _Recorded(msgspec.Struct):
    model: str
    prompt: str
    response: str


class RecordedAnswers:
    """Recorded answers, by model and prompt. An answer that was not recorded is never made up.

    A model goes by its whole name or by the last part of it, whatever the case:
    `Qwen/Qwen2.5-1.5B-Instruct` and `qwen2.5-1.5b-instruct` are one model, `nova-micro/prod` and
    `nova-lite/prod` are two. Raises LocalModeError for a line that is none.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._answers: dict[tuple[str, str], str] = {}
        self._by_last_part: dict[tuple[str, str], str] = {}
        for file in files:
            for line in require_records(file, _Recorded, LocalModeError, _FORM):
                self._answers[_name(line.model), line.prompt] = line.response
                self._by_last_part[_last_part(line.model), line.prompt] = line.response

    def answer(self, models: Iterable[str], prompt: str) -> str:
        """The answer of the first of `models` that has one; LocalModeError without any."""
        asked = tuple(models)
        for model in asked:
            for held, name in (
                (self._answers, _name(model)),
                (self._answers, _last_part(model)),
                (self._by_last_part, _name(model)),
            ):
                if (name, prompt) in held:
                    return held[name, prompt]
        raise LocalModeError(
            f"No answer of {asked[0]} is recorded for this prompt: {prompt[:80]!r}. Add it to the "
            "file given with --answers (examples/answers has some), or let a model answer with "
            "--endpoints."
        )


def answer_files(path: Path) -> tuple[str, ...]:
    """The files meant by `--answers`: one file, or every file of rows in a folder."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if _ROWS.search(file.name))
    if not files or not all(file.is_file() for file in files):
        raise LocalModeError(f"{path} is neither a file of recorded answers nor a folder of them.")
    return tuple(str(file.resolve()) for file in files)


def _name(model: str) -> str:
    return model.rstrip("/").lower()


def _last_part(model: str) -> str:
    return _name(model).rsplit("/", 1)[-1]


class CompletionRequest(NamedTuple):
    """One request to a candidate, whatever its form. `models` are the names it goes by."""

    models: tuple[str, ...]
    prompt: str
    messages: list[dict[str, Any]]
    settings: dict[str, Any]


CompletionSource: TypeAlias = Callable[[CompletionRequest], Completion]
"""Gives the answer, or raises `ApiError`."""


def recorded_answer(recorded: RecordedAnswers, asked: CompletionRequest) -> Completion:
    """An answer that was recorded, counted in words instead of tokens."""
    try:
        text = recorded.answer(asked.models, asked.prompt)
    except LocalModeError as error:
        raise ApiError("ValidationError", str(error)) from error
    return Completion(text, "stop", len(asked.prompt.split()), len(text.split()))


def forwarded_answer(server: ChatServer, asked: CompletionRequest) -> Completion:
    """The answer of an OpenAI-compatible server; its failure is the container's failure (424)."""
    try:
        return complete(server, asked.models[0], asked.messages, asked.settings)
    except RefusedByServerError as error:
        raise ApiError("ModelError", str(error), 424, error.status) from error
    except LocalModeError as error:
        raise ApiError("ModelError", str(error), 424) from error


class Answers:
    """Answers in the three forms that candidates are asked in: vLLM chat, TGI, Bedrock Converse.

    `ledger` is a folder in which the file `answered` grows by a byte with every answer, and
    `refused` by a line with every request that was refused.
    """

    def __init__(self, source: CompletionSource, ledger: Path | None = None) -> None:
        self._source = source
        self._ledger = ledger

    def invocation(self, model: str, endpoint: str, body: bytes) -> bytes:
        """The body that the endpoint's container sends back."""
        request = _object(body)
        if "messages" in request:
            return self._chat(model, endpoint, request)
        if "inputs" in request:
            return self._text_generation(model, endpoint, request)
        raise ApiError("ModelError", "The body holds neither `messages` nor `inputs`.", 424)

    def converse(self, model: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to Bedrock's Converse."""
        config = request.get("inferenceConfig", {})
        names = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p"}
        settings = {names[key]: value for key, value in config.items() if key in names}
        if "stopSequences" in config:
            settings["stop"] = config["stopSequences"]
        turns = [(turn["role"], turn["content"]) for turn in request["messages"]]
        if request.get("system"):
            turns.insert(0, ("system", request["system"]))
        messages = [{"role": role, "content": _text(content)} for role, content in turns]
        done = self._ask((model,), messages, settings)
        read, written = done.input_tokens or 0, done.output_tokens or 0
        return {
            "output": {"message": {"role": "assistant", "content": [{"text": done.text}]}},
            "stopReason": "max_tokens" if done.finish_reason == "length" else "end_turn",
            "usage": {
                "inputTokens": read,
                "outputTokens": written,
                "totalTokens": read + written,
            },
            "metrics": {"latencyMs": 1},
        }

    def _chat(self, model: str, endpoint: str, request: dict[str, Any]) -> bytes:
        settings = {k: v for k, v in request.items() if k not in {"model", "messages", "stream"}}
        named = request.get("model") or model
        done = self._ask((model, named, endpoint), request["messages"], settings)
        read, written = done.input_tokens or 0, done.output_tokens or 0
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": done.text},
            "finish_reason": done.finish_reason,
        }
        usage = {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        }
        answer = {"object": "chat.completion", "model": named, "choices": [choice], "usage": usage}
        return orjson.dumps(answer)

    def _text_generation(self, model: str, endpoint: str, request: dict[str, Any]) -> bytes:
        parameters = dict(request.get("parameters", {}))
        if "max_new_tokens" in parameters:
            parameters["max_tokens"] = parameters.pop("max_new_tokens")
        messages = [{"role": "user", "content": request["inputs"]}]
        done = self._ask((model, endpoint), messages, parameters)
        return orjson.dumps([{"generated_text": done.text}])

    def _ask(
        self, models: tuple[str, ...], messages: list[dict[str, Any]], settings: dict[str, Any]
    ) -> Completion:
        asked = [turn["content"] for turn in messages if turn.get("role") == "user"]
        if not asked or not isinstance(asked[-1], str):
            raise ApiError("ValidationError", "The request holds no message of the user.")
        request = CompletionRequest(models, asked[-1], messages, settings)
        return self.noted(lambda: self._source(request))

    def noted(self, answer: Callable[[], Given]) -> Given:
        """The answer of whoever gives it, counted, or its refusal, written down."""
        try:
            given = answer()
        except ApiError as error:
            self._note(REFUSED, error.message.encode() + b"\n")
            raise
        self._note(ANSWERED, b".")
        return given

    def _note(self, name: str, line: bytes) -> None:
        if self._ledger is not None:
            with (self._ledger / name).open("ab") as file:
                file.write(line)


def answers_from(
    files: Iterable[str], server: ChatServer | None, ledger: Path | None = None
) -> Answers:
    """The server when there is one, else the recorded answers."""
    if server is not None:
        return Answers(partial(forwarded_answer, server), ledger)
    return Answers(partial(recorded_answer, RecordedAnswers(map(Path, files))), ledger)


class ModelUnderTest(NamedTuple):
    """The model that a job evaluates; a server goes before recorded answers."""

    files: tuple[Path, ...] = ()
    server: ChatServer | None = None

    def answers(self, model: str, questions: Iterable[tuple[str, str]]) -> list[str | Unscored]:
        """The model's answers to (question, prompt) pairs: recorded by question, asked by prompt.

        A question that a server does not answer has the reason in its place. Raises LocalModeError
        when it answers none, and for the first question without a recorded answer: none is made up.
        """
        if self.server is None:
            recorded = RecordedAnswers(self.files)
            return [recorded.answer((model,), question) for question, _ in questions]
        ask = partial(_asked, self.server, model)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = list(pool.map(ask, (prompt for _, prompt in questions)))
        failures = [answer for answer in answers if isinstance(answer, Unscored)]
        if failures and len(failures) == len(answers):
            raise LocalModeError(failures[0].reason)
        return answers


def _asked(server: ChatServer, model: str, prompt: str) -> str | Unscored:
    messages = [{"role": "user", "content": prompt}]
    try:
        return complete(server, server.model or model, messages, {"temperature": 0}).text
    except LocalModeError as error:
        return Unscored(str(error))


def _object(body: bytes) -> dict[str, Any]:
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError("ModelError", f"The body is not JSON: {error}", 424) from error
    if not isinstance(request, dict):
        raise ApiError("ModelError", "The body is not a JSON object.", 424)
    return request


def _text(blocks: list[dict[str, Any]]) -> str:
    return "\n".join(block["text"] for block in blocks if "text" in block)
