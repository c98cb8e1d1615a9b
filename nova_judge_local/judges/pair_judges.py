"""Judges of local mode, by a spec: what each writes is what the Nova judge would write.

`reference` compares with the row's reference; `recorded:FILE` replays verdicts; `openai:URL#MODEL`
asks any OpenAI-compatible server; `bedrock:MODEL_ID` asks Amazon Bedrock with the user's own
credentials.
"""

import functools
import os
import re
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from nova_judge.answers.kept_texts import KeptTexts
from nova_judge.errors import LocalModeError
from nova_judge.folders import DATA
from nova_judge.inputs.input_file import RecordedVerdicts
from nova_judge.records import Unscored
from nova_judge.verdict_labels import parse_verdict
from nova_judge_local.emulator_settings import DEFAULT_CALLS, ChatServer, JudgeCalls
from nova_judge_local.judges.chat_server import ServerGoneError, complete, parse_chat_server
from nova_judge_local.judges.knowledge import KnownRow
from nova_judge_local.judges.reference_judge import reference_output

Order: TypeAlias = Literal["forward", "backward"]
VerdictForm: TypeAlias = Literal["pairwise", "rubric"]

MAX_TOKENS = {"pairwise": 1024, "rubric": 4096}
_FINISHED = ("end_turn", "stop_sequence")  # Converse's stop reasons of an answer that is whole
KEPT_VERDICTS = "verdicts.jsonl"
SPECS = "reference, recorded:FILE, openai:URL#MODEL or bedrock:MODEL_ID"
NO_REFERENCE = (
    "the row has no `reference`, and the judge `reference` compares with nothing else: add "
    f"references, or choose another judge with --judge ({SPECS})"
)


class NoOutputError(Exception):
    """The judge gave no finished output for one pair; others may still be judged.

    `text` is what it wrote until then.
    """

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(reason)
        self.text = text


class Shown(NamedTuple):
    """One pair as it is shown to the judge: in the backward order B's response comes first."""

    prompt: str
    first: str
    second: str
    order: Order
    known: KnownRow | None


class PairJudge(Protocol):
    """Writes what a judge writes about one pair: text with a verdict label, or YAML."""

    @property
    def name(self) -> str:
        """Name of this judge in the results."""

    def output(self, shown: Shown, form: VerdictForm) -> str:
        """The judge's text.

        Raises `NoOutputError` when this pair got none, `LocalModeError` when going on is useless.
        """


class ReferenceJudge:
    """SQuAD's token F1 and exact match against the row's reference."""

    name = "reference (SQuAD token F1 and exact match against the row's reference)"

    def output(self, shown: Shown, form: VerdictForm) -> str:
        """Has no output for a row without a reference."""
        knowledge = shown.known
        if knowledge is None or not knowledge.reference:
            raise NoOutputError(NO_REFERENCE)
        return reference_output(shown.first, shown.second, knowledge.reference, form)


class RecordedJudge:
    """Verdicts that a real judge gave, by row id. `backward` speaks of the order B, A.

    Rows of one id are matched in the order of both files.
    """

    def __init__(self, file: Path) -> None:
        self.name = f"recorded ({file.name})"
        self._verdicts = RecordedVerdicts(file, LocalModeError)

    def output(self, shown: Shown, form: VerdictForm) -> str:
        """The recorded text, or the recorded label where no text was kept."""
        del form
        known = shown.known
        row, place = (known.id, known.place) if known else (None, 0)
        line = self._verdicts.of(row, place, shown.prompt)
        label = line.forward if shown.order == "forward" else line.backward
        text = line.forward_output if shown.order == "forward" else line.backward_output
        return _replayed(label, text or "")


class ChatJudge:
    """A model behind an OpenAI-compatible server."""

    def __init__(self, server: ChatServer, calls: JudgeCalls = DEFAULT_CALLS) -> None:
        if server.model is None:
            raise LocalModeError(f"Name the judge's model: openai:{server.url}#MODEL")
        self.name = f"openai ({server.model})"
        self._server = msgspec.structs.replace(server, timeout_s=calls.timeout_s)
        self._model, self._max_tokens = server.model, calls.max_tokens
        self._kept = calls.kept is not None

    def output(self, shown: Shown, form: VerdictForm) -> str:
        """Text that the model writes, where it comes to its end; a server that is gone ends all."""
        messages = [{"role": "user", "content": judge_prompt(shown, form)}]
        settings = {"max_tokens": self._max_tokens or MAX_TOKENS[form], "temperature": 0}
        try:
            done = complete(self._server, self._model, messages, settings)
        except ServerGoneError as error:
            again = "run the same command again" + (
                ": what was judged is kept, and only the rest is asked" if self._kept else ""
            )
            raise LocalModeError(f"{error} Judging stops here. Once it is up, {again}.") from error
        except LocalModeError as error:
            raise NoOutputError(str(error)) from error
        if (failure := done.failure()) is not None:
            raise NoOutputError(failure, done.text or done.thought)
        return done.text


class BedrockPairJudge:
    """A model on Amazon Bedrock, called with the credentials of the user's environment."""

    def __init__(self, model: str, calls: JudgeCalls = DEFAULT_CALLS) -> None:
        self.name = f"bedrock ({model})"
        self._model, self._max_tokens = model, calls.max_tokens
        config = Config(
            retries={"mode": "adaptive", "total_max_attempts": 10},
            max_pool_connections=calls.concurrency,
            read_timeout=calls.timeout_s,
        )
        try:
            self._client = boto3.client("bedrock-runtime", config=config)
        except BotoCoreError as error:
            raise LocalModeError(
                f"Bedrock cannot be called: {error} Set AWS_PROFILE and AWS_REGION, or choose"
                " another judge."
            ) from error

    def output(self, shown: Shown, form: VerdictForm) -> str:
        """Text that the model writes, where it comes to its end."""
        most = self._max_tokens or MAX_TOKENS[form]
        try:
            answer = self._client.converse(
                modelId=self._model,
                messages=[{"role": "user", "content": [{"text": judge_prompt(shown, form)}]}],
                inferenceConfig={"maxTokens": most, "temperature": 0},
            )
        except (BotoCoreError, ClientError) as error:
            raise NoOutputError(f"Bedrock: {error}") from error
        blocks = answer["output"]["message"]["content"]
        text = "".join(block.get("text", "") for block in blocks)
        if answer["stopReason"] not in _FINISHED:
            raise NoOutputError(
                f"the output was not finished (stopReason {answer['stopReason']})", text
            )
        return text


def judge_from(spec: str, calls: JudgeCalls = DEFAULT_CALLS) -> PairJudge:
    """The judge that a spec names; raises `LocalModeError` with the forms allowed."""
    kind, _, rest = spec.partition(":")
    if spec == "reference":
        return ReferenceJudge()
    if kind == "recorded" and rest:
        return RecordedJudge(Path(rest))
    if kind == "openai" and rest:
        return ChatJudge(parse_chat_server(rest, os.environ.get("OPENAI_API_KEY")), calls)
    if kind == "bedrock" and rest:
        return BedrockPairJudge(rest, calls)
    raise LocalModeError(f"{spec!r} names no judge: write {SPECS}.")


def judge_prompt(shown: Shown, form: VerdictForm) -> str:
    """The text that a model is asked, from its data file."""
    values = {"{prompt}": shown.prompt, "{first}": shown.first, "{second}": shown.second}
    parts = _template(form)
    return "".join(values.get(part, part) for part in parts)


@functools.cache
def _template(form: VerdictForm) -> tuple[str, ...]:
    """The prompt cut at its places, so that a response with braces in it stays as it is."""
    text = (DATA / f"judge_prompt_{form}.txt").read_text("utf-8")
    return tuple(re.split(r"(\{prompt\}|\{first\}|\{second\})", text))


def _replayed(label: str | None, text: str) -> str:
    """Text that reads as the recorded verdict: as recorded where it does, else made plain."""
    wanted = parse_verdict(f"[[{label}]]") if label else None
    read = parse_verdict(text)
    if read == wanted or (wanted is None and isinstance(read, Unscored)):
        return text
    if wanted is None:
        return "The record holds no verdict for this order."
    return f"{text.replace('[[', '[ [')}\n\n[[{label}]]".lstrip()


class KeptVerdicts:
    """A judge that looks into the file before it asks."""

    def __init__(self, judge: PairJudge, folder: Path, settings: str = "") -> None:
        self._judge, self._settings = judge, settings
        self.name = judge.name
        self._kept = KeptTexts(folder / KEPT_VERDICTS)

    def output(self, shown: Shown, form: VerdictForm) -> str:
        """The text that is kept, else what the judge writes now."""
        asked = "\n".join((self.name, self._settings, form, judge_prompt(shown, form)))
        text = self._kept.find(asked)
        if text is None:
            text = self._judge.output(shown, form)
            self._kept.keep(asked, text)
        return text
