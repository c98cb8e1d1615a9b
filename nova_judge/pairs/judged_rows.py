"""From a judge job's output back to the rows that were sent: one `JudgedRow` each.

The container's details hold no id, so that rows are joined by their place `[?]`; the prompts in the
details are compared with ours, and a file in another order is refused.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.json_lines import require_lines
from nova_judge.pairs.job_findings import COUNTS, made_one_pass
from nova_judge.pairs.judge_output import read_judgments, read_shown, rows_in
from nova_judge.pairs.passes import WHICH_PASS
from nova_judge.records import ONE_PASS, InputRow, JobMetrics, JudgedRow, Judgment, Unscored
from nova_judge.runs.results_json import read_job_metrics
from nova_judge.statistics.panel import PanelVotes
from nova_judge.verdict_labels import NO_OUTPUT

MISSING = Unscored("the judge's details hold no line for this row")
_ESCAPED_OR_SIGN = re.compile(r"\\+(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrt])?|[^A-Za-z0-9\\]+")
_BEGINNING = 500  # characters: the container may cut a prompt that is too long for its context
_SUMMED = (*COUNTS, "score")


class JudgedFiles(NamedTuple):
    """The files of one judge job on disk: what it wrote, and the rows that were sent to it."""

    details: Path
    results: Path | None
    rows: Path


class PairsFound(NamedTuple):
    """The judge's files for a run's rows, job by job, and for each control by its name.

    `panel`: the verdicts of each judge, where the files are those of a panel.
    """

    jobs: tuple[JudgedFiles, ...]
    controls: tuple[tuple[str, JudgedFiles], ...] = ()
    panel: PanelVotes | None = None

    @property
    def results(self) -> list[Path]:
        """The results files of the jobs, as far as they wrote one."""
        return [job.results for job in self.jobs if job.results]

    def rows(self, notes: Counter[str] | None = None) -> Iterator[JudgedRow]:
        """All rows in constant memory; `notes` counts what disagrees within the details."""
        for job in self.jobs:
            yield from read_rows(job, notes)


def read_rows(job: JudgedFiles, notes: Counter[str] | None = None) -> Iterator[JudgedRow]:
    """The rows in the order in which they were sent, each with its judgment, in constant memory.

    A row without a line in the details is unscored. Raises JudgeJobError when the details hold more
    lines than rows, or lines of other rows. `notes` counts what disagrees within the details.
    """
    sent = require_lines(job.rows, InputRow, JudgeJobError)
    judgments = read_judgments(job.details, notes)
    shown = (prompt for (prompt,) in read_shown(job.details, ["full_prompt"]))
    prompts = (None if prompt is None else str(prompt) for prompt in shown)
    order, one_pass = _OrderCheck(), _made_one_pass(job)
    for row, judgment, prompt in zip_longest(sent, judgments, prompts):
        if row is None:
            raise JudgeJobError(f"{job.details.name}: more lines than rows were sent to the judge")
        order.check(row, prompt)
        judged = judgment or Judgment(forward=MISSING, backward=MISSING)
        yield JudgedRow(row=row, judgment=_of_one_pass(judged) if one_pass else judged)
    order.conclude(job.details.name)


def _made_one_pass(job: JudgedFiles) -> bool:
    """What AWS's post on the rubric judge shows: 3 wins, 7 wins and an error of 11 rows [?]."""
    if job.results is None:
        return False
    try:
        stated = read_job_metrics(job.results)
    except JudgeJobError:  # said where the job's figures are needed
        return False
    return made_one_pass(stated, rows_in(job.details))


def _of_one_pass(judgment: Judgment) -> Judgment:
    """The judgment without what is said of a second pass, which was never made."""
    if not isinstance(judgment.backward, Unscored):
        return judgment
    forward = NO_OUTPUT if judgment.forward == WHICH_PASS else judgment.forward
    return msgspec.structs.replace(judgment, forward=forward, backward=ONE_PASS)


class _OrderCheck:
    """Check that lines show their own rows' prompts; a format that never does proves nothing."""

    def __init__(self) -> None:
        self._shown = 0
        self._other: int | None = None

    def check(self, row: InputRow, shown: str | None) -> None:
        if shown is None:
            return
        if row.shown in shown or _bare(row.shown)[:_BEGINNING] in _bare(shown):
            self._shown += 1
        elif self._other is None:
            self._other = row.line

    def conclude(self, name: str) -> None:
        if self._shown and self._other is not None:
            raise JudgeJobError(
                f"{name}: the details are not in the order of the judge's input: the row of line "
                f"{self._other} shows another prompt, and verdicts cannot be matched to rows"
            )


def _bare(text: str) -> str:
    """ASCII letters and digits alone: how a details file escapes or joins text is not its order."""
    return _ESCAPED_OR_SIGN.sub("", text)


def job_metrics(results: Sequence[Path]) -> JobMetrics | None:
    """The figures that the container reported; of several jobs the counts, which alone add up."""
    reported = [read_job_metrics(path) for path in results]
    if len(reported) == 1:
        return reported[0]
    return {
        name: sum(metrics[name] for metrics in reported)
        for name in _SUMMED
        if all(isinstance(metrics.get(name), int | float) for metrics in reported)
    } or None
