"""The model that a job evaluates, in local mode: recorded answers, or a server of one's own."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from nova_judge.errors import LocalModeError
from nova_judge.records import Unscored
from nova_judge_local.emulator_settings import ChatServer
from nova_judge_local.judges.chat_server import complete
from nova_judge_local.judges.recorded import RecordedAnswers

_AT_ONCE = 16


class ModelUnderTest(NamedTuple):
    """Source of answers; a server goes before recorded answers."""

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
