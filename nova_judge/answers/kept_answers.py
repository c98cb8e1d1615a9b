"""A journal in one file of this machine, for commands that ask models themselves."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from nova_judge.answers.answers import Answer, Setback
from nova_judge.answers.kept_texts import KeptTexts


class KeptAnswers:
    """`answers.Journal` over `KeptTexts`: a second run asks only for what is missing.

    `name` is that of the model as it is asked; `answered` is called with each answer.
    """

    def __init__(self, path: Path, name: str, answered: Callable[[], None]) -> None:
        self._kept, self._name, self._answered = KeptTexts(path), name, answered

    def find(self, prompts: Sequence[str]) -> Mapping[str, Answer]:
        """The kept answers among those to `prompts`."""
        answers: dict[str, Answer] = {}
        for prompt in prompts:
            text = self._kept.find(self._asked(prompt))
            if text is not None:
                answers[prompt] = msgspec.json.decode(text, type=Answer)
                self._answered()
        return answers

    def setbacks(self, prompts: Sequence[str]) -> Mapping[str, Setback]:
        """None: whoever starts a command again wants failed rows asked again."""
        del prompts
        return {}

    def set_back(self, setbacks: Mapping[str, Setback]) -> None:
        """Nothing is kept of what failed."""

    def add(self, prompt: str, answer: Answer) -> None:
        """Keep one answer, from any thread."""
        self._kept.keep(self._asked(prompt), msgspec.json.encode(answer).decode())
        self._answered()

    def flush(self) -> None:
        """Everything is written as it comes."""

    def _asked(self, prompt: str) -> str:
        return f"{self._name}\n{prompt}"
