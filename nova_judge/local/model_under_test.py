"""The model that a job evaluates, in local mode: recorded answers, or a server of one's own."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.errors import LocalModeError
from nova_judge.local.chat_server import complete
from nova_judge.local.settings import ChatServer


class _Recorded(msgspec.Struct):
    model: str
    prompt: str
    response: str


class ModelUnderTest(NamedTuple):
    """Where answers come from; a server goes before recorded answers."""

    files: tuple[Path, ...] = ()
    server: ChatServer | None = None

    def answers(self, model: str, questions: Iterable[tuple[str, str]]) -> list[str]:
        """The model's answers to (question, prompt) pairs: recorded by question, asked by prompt.

        Raises LocalModeError naming the first question without an answer: none is made up.
        """
        if self.server is not None:
            return [self._asked(self.server, model, prompt) for _, prompt in questions]
        recorded = self._recorded(model)
        found: list[str] = []
        for question, _ in questions:
            if question not in recorded:
                raise LocalModeError(
                    f"No answer of {model} is recorded for {question[:80]!r}. Add it to the file "
                    "given with --answers (examples/answers has some), or let a model answer "
                    "with --endpoints openai:URL#MODEL."
                )
            found.append(recorded[question])
        return found

    def _asked(self, server: ChatServer, model: str, prompt: str) -> str:
        messages = [{"role": "user", "content": prompt}]
        return complete(server, server.model or model, messages, {"temperature": 0}).text

    def _recorded(self, model: str) -> dict[str, str]:
        decoder = msgspec.json.Decoder(_Recorded)
        return {
            line.prompt: line.response
            for file in self.files
            for content in file.read_bytes().splitlines()
            if content.strip() and (line := decoder.decode(content)).model == model
        }
