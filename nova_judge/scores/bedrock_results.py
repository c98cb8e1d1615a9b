"""The lines of Bedrock's judge, in jobs of its own or as a serverless second step, as scores."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.json_lines import lines_of, require_lines
from nova_judge.recipe.bedrock_judge import BUILTIN, BedrockJudge, bedrock_evaluation
from nova_judge.recipe.serverless import ServerlessJudge
from nova_judge.records import Candidate, InputRow, Unscored
from nova_judge.runs.job_output import JobOutput
from nova_judge.runs.results_json import stand_in_of
from nova_judge.scores.container_scores import reported_figures
from nova_judge.scores.found import JobScores
from nova_judge.scores.table import AnswerScore, MetricFacts
from nova_judge.statistics.metric_means import UNIT, Scale

NO_RESULT = Unscored("the judge gave no result")
_OPENING = "Stand-in judge "


class _EvaluatorDetail(msgspec.Struct):
    explanation: str | None = None
    modelIdentifier: str | None = None


class OutputScore(msgspec.Struct):
    """The judge's result for one answer by one metric; None where it could not say."""

    metricName: str
    result: float | str | None = None
    evaluatorDetails: tuple[_EvaluatorDetail, ...] | None = None

    @property
    def metric(self) -> str:
        """The metric's name without `Builtin.`."""
        return self.metricName.removeprefix(BUILTIN)

    @property
    def given(self) -> float | str | Unscored:
        """The result, which is unscored where the judge gave none."""
        return NO_RESULT if self.result is None else self.result

    @property
    def explanation(self) -> str:
        """The judge's reasons; empty where it gives none."""
        details = self.evaluatorDetails or ()
        return " ".join(detail.explanation for detail in details if detail.explanation)


class _Result(msgspec.Struct):
    scores: tuple[OutputScore, ...] = ()


class _Response(msgspec.Struct):
    response: str | None = None
    modelIdentifier: str | None = None


class _InputRecord(msgspec.Struct):
    prompt: str
    referenceResponse: str | None = None
    category: str | None = None
    modelResponses: tuple[_Response, ...] = ()


class OutputLine(msgspec.Struct):
    """One answer with the judge's scores; it carries neither an id nor its place in the input."""

    automatedEvaluationResult: _Result
    inputRecord: _InputRecord
    modelResponses: tuple[_Response, ...] = ()

    @property
    def prompt(self) -> str:
        return self.inputRecord.prompt

    @property
    def scores(self) -> tuple[OutputScore, ...]:
        return self.automatedEvaluationResult.scores

    @property
    def answer(self) -> str | None:
        """The answer that was judged, where the line repeats it."""
        response = self._response
        return response.response if response else None

    @property
    def model(self) -> str:
        """The model that answered, as the job names it; empty where it does not."""
        response = self._response
        return (response.modelIdentifier if response else None) or ""

    @property
    def judge(self) -> str:
        """The model that judged; empty where no score names one."""
        details = (one for score in self.scores for one in score.evaluatorDetails or ())
        return next((one.modelIdentifier for one in details if one.modelIdentifier), "")

    @property
    def _response(self) -> _Response | None:
        responses = self.modelResponses or self.inputRecord.modelResponses
        return responses[0] if responses else None


RowNumbers: TypeAlias = dict[tuple[str, int], int]
"""Rows by prompt, and by how many equal prompts of the same model came before."""
_decoder = msgspec.json.Decoder(OutputLine)


def read_output_line(content: bytes) -> OutputLine | None:
    """The line; None where it cannot be read, so that its row stays without scores."""
    try:
        return _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def output_lines(files: Iterable[Path]) -> Iterator[OutputLine | None]:
    """Every line of the files but blank ones; None for one that cannot be read."""
    for path in files:
        with path.open("rb") as file:
            for line in lines_of(file):
                yield read_output_line(line.content or b"")


def bedrock_job(
    judge: BedrockJudge, candidate: Candidate, output: JobOutput, sent: Path | None
) -> JobScores:
    """Every score of one evaluation job; `sent` holds the rows that it was given."""
    rows = list(require_lines(sent, InputRow, JudgeJobError)) if sent is not None else []
    scores = list(scored_answers(judge, candidate, rows, output_lines(output.judged)))
    names = (stand_in_named(score.explanation) for score in scores)
    return JobScores(candidate, scores, stand_in=next((name for name in names if name), None))


def llmaj_job(subject: str, output: JobOutput, rows: RowNumbers) -> JobScores:
    """Every score of a serverless judge: it brings its own answers, so that its lines are the rows.

    Of a line that cannot be read there is no score, which the row count shows.
    """
    scores = [
        score
        for row, line in numbered(output_lines(output.judged), rows)
        for score in line_scores(subject, row, line)
    ]
    return JobScores(
        subject, scores, reported_figures(output), stand_in=stand_in_of(output.results)
    )


def numbered(
    lines: Iterable[OutputLine | None], rows: RowNumbers
) -> Iterator[tuple[int, OutputLine]]:
    """The lines that can be read, with the rows that they belong to.

    Equal prompts of several models are one row; `rows` numbers them over the jobs of a run.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for line in lines:
        if line is not None:
            seen[line.model, line.prompt] += 1
            key = (line.prompt, seen[line.model, line.prompt])
            yield rows.setdefault(key, len(rows) + 1), line


def line_scores(subject: str, row: int, line: OutputLine) -> Iterator[AnswerScore]:
    """The scores of a line as those of a row."""
    for score in line.scores:
        yield AnswerScore(
            subject,
            score.metric,
            row,
            score.given,
            id=str(row),
            explanation=score.explanation,
            prompt=line.prompt,
        )


def stand_in_named(explanation: str) -> str | None:
    """Local mode's judge says so in each explanation."""
    if not explanation.startswith(_OPENING):
        return None
    return explanation.removeprefix(_OPENING).partition(":")[0]


def judge_facts(judge: BedrockJudge | ServerlessJudge) -> dict[str, MetricFacts]:
    """Scale and direction of the metrics that the judge is asked for."""
    builtin = bedrock_evaluation().metrics
    facts = {name: MetricFacts(builtin[name].better) for name in judge.metrics}
    for metric in judge.custom_metrics:
        facts[metric.name] = MetricFacts(metric.better, Scale(*(metric.bounds or UNIT)))
    return facts


def scored_answers(
    judge: BedrockJudge,
    candidate: Candidate,
    rows: Iterable[InputRow],
    output: Iterable[OutputLine | None],
) -> Iterator[AnswerScore]:
    """What the jobs wrote about the answer of every row, by every metric, in the order of `rows`.

    Bedrock keeps neither an id nor the order, so lines are matched by prompt and answer; equal
    ones are interchangeable. A row without a line, or a metric without a result, is unscored.
    """
    written: dict[tuple[str, str | None], list[tuple[OutputScore, ...]]] = defaultdict(list)
    for line in output:
        if line is not None:
            written[line.prompt, line.answer].append(line.scores)
    facts = judge_facts(judge)
    for row in rows:
        answer = row.response(candidate) or ""
        waiting = written.get((row.shown, answer))
        scores = waiting.pop(0) if waiting else None
        # [?] Own metrics are expected under the name that the request gave them.
        by_name = {score.metric: score for score in scores or ()}
        reported = ", ".join(sorted(by_name)) or "nothing"
        absent = Unscored(
            "the job wrote no readable line for this row"
            if scores is None
            else f"the job did not report this metric: it has {reported}"
        )
        for name, known in facts.items():
            score = by_name.get(name)
            yield AnswerScore(
                candidate,
                name,
                row.line,
                absent if score is None else _on_scale(score, known.scale or UNIT),
                id=row.id,
                category=row.category,
                explanation=score.explanation if score else "",
                prompt=row.prompt,
                answer=answer,
                reference=row.reference or "",
                cluster=row.cluster,
            )


def _on_scale(score: OutputScore, scale: Scale) -> float | str | Unscored:
    if isinstance(score.result, float) and not scale.low <= score.result <= scale.high:
        ends = f"[{scale.low}, {scale.high}]"
        return Unscored(f"the result {score.result} does not lie in {ends}")
    return score.given
