"""The task family `llm_judge` and `rubric_llm_judge`: every row judged in both orders."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.errors import LocalModeError
from nova_judge.json_lines import require_lines
from nova_judge.pairs.container_details import (
    Detail,
    Numbers,
    WrittenPasses,
    job_numbers,
    pairwise_metrics,
    row_numbers,
    rubric_metrics,
)
from nova_judge_local.container.mounted_job import (
    ContainerJob,
    Outside,
    write_details,
    write_results,
)
from nova_judge_local.judges.knowledge import Knowledge
from nova_judge_local.judges.pair_judges import (
    KeptVerdicts,
    NoOutputError,
    PairJudge,
    Shown,
    VerdictForm,
    judge_from,
    judge_prompt,
)

_CHUNK = 1024
_TOLD_EVERY = 10


class _Line(msgspec.Struct):
    prompt: str
    response_A: str
    response_B: str


def run(job: ContainerJob) -> None:
    """Judge the train file and write details and results."""
    form: VerdictForm = "rubric" if job.task == "rubric_llm_judge" else "pairwise"
    judge = _judge(job.outside)
    known = job.outside.knowledge
    knowledge = Knowledge(sorted(known.glob("*.jsonl")) if known else [])
    totals: list[Numbers] = []
    metrics_of = rubric_metrics if form == "rubric" else pairwise_metrics

    def details() -> Iterator[Detail]:
        asking = JudgingInBothOrders(judge, knowledge, form, job.outside.judge_calls.concurrency)
        for line, passes in _judged(job.data_file(), asking):
            metrics = metrics_of(passes)
            totals.append(row_numbers(passes, metrics))
            shown = Shown(line.prompt, line.response_A, line.response_B, "forward", None)
            yield Detail(judge_prompt(shown, form), metrics, [passes.forward, passes.backward])

    key = f"custom|{job.task}_judge|0"
    write_details(job, key, details())
    if not totals:
        raise LocalModeError("The train file holds no row to judge.")
    figures = job_numbers(totals)
    write_results(job, {key: figures}, figures, judge.name)


def _judge(outside: Outside) -> PairJudge:
    """The judge of a job; a model's verdicts are kept where a folder is named."""
    calls = outside.judge_calls
    judge = judge_from(outside.judge, calls)
    if calls.kept is None or outside.judge.partition(":")[0] not in ("openai", "bedrock"):
        return judge
    return KeptVerdicts(judge, Path(calls.kept), f"{outside.judge} {calls.max_tokens}")


class JudgingInBothOrders(NamedTuple):
    """Settings: the judge, the knowledge of the rows, and how many are judged at once."""

    judge: PairJudge
    knowledge: Knowledge
    form: VerdictForm
    rows_at_once: int

    def judged(self, line: _Line) -> tuple[_Line, WrittenPasses]:
        """One row in both orders."""
        a, b = line.response_A, line.response_B
        row = self.knowledge.of(line.prompt, a, b)
        forward, forward_error = self._output(Shown(line.prompt, a, b, "forward", row))
        backward, backward_error = self._output(Shown(line.prompt, b, a, "backward", row))
        return line, WrittenPasses(forward, backward, forward_error, backward_error)

    def _output(self, shown: Shown) -> tuple[str, str | None]:
        try:
            return self.judge.output(shown, self.form), None
        except NoOutputError as error:
            return error.text, str(error)


def _judged(file: Path, asking: JudgingInBothOrders) -> Iterator[tuple[_Line, WrittenPasses]]:
    """Every row in the order of the file; a progress line now and then.

    A pass without a finished output is an inference error with its reason; when no pass has any,
    the job fails with the first one.
    """
    done = failed = 0
    first: str | None = None
    lines = require_lines(file, _Line, LocalModeError)
    with ThreadPoolExecutor(asking.rows_at_once) as pool:
        while chunk := list(islice(lines, _CHUNK)):
            for line, passes in pool.map(asking.judged, chunk):
                done += 1
                failed += len(passes.errors())
                first = first or passes.forward_error
                yield line, passes
                if done % _TOLD_EVERY == 0:
                    _tell(done)
    if first and failed == 2 * done:
        raise LocalModeError(f"The judge gave no output for any row. {first}")
    _tell(done)


def _tell(done: int) -> None:
    sys.stdout.write(f"judged {done}\n")
    sys.stdout.flush()
