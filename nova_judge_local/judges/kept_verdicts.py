"""Outputs of a judge's model, kept by content: a second run asks only for what is missing.

Only finished outputs are kept, beside the output folder and beside the candidates' answers.
"""

from pathlib import Path

from nova_judge.answers.kept_texts import KeptTexts
from nova_judge_local.judges.pair_judges import PairJudge, Shown, VerdictForm, judge_prompt

FILE = "verdicts.jsonl"


class KeptVerdicts:
    """A judge that looks into the file before it asks."""

    def __init__(self, judge: PairJudge, folder: Path, settings: str = "") -> None:
        self._judge, self._settings = judge, settings
        self.name = judge.name
        self._kept = KeptTexts(folder / FILE)

    def output(self, shown: Shown, form: VerdictForm) -> str:
        """The text that is kept, else what the judge writes now."""
        asked = "\n".join((self.name, self._settings, form, judge_prompt(shown, form)))
        text = self._kept.find(asked)
        if text is None:
            text = self._judge.output(shown, form)
            self._kept.keep(asked, text)
        return text
