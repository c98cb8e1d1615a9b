"""The model that a job evaluates, in local mode: recorded answers, or a server of one's own."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from nova_judge_local.judges.chat_server import complete
from nova_judge_local.judges.recorded import RecordedAnswers
from nova_judge_local.settings import ChatServer


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
        recorded = RecordedAnswers(self.files)
        return [recorded.answer((model,), question) for question, _ in questions]

    def _asked(self, server: ChatServer, model: str, prompt: str) -> str:
        messages = [{"role": "user", "content": prompt}]
        return complete(server, server.model or model, messages, {"temperature": 0}).text
