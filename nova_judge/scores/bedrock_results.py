"""The lines of Bedrock's judge, in jobs of its own or as a serverless second step, as scores."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.json_lines import require_lines
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


_decoder = msgspec.json.Decoder(OutputLine)


def read_output_line(content: bytes) -> OutputLine | None:
    """The line; None where it cannot be read, so that its row stays without scores."""
    try:
        return _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def bedrock_job(
    judge: BedrockJudge, candidate: Candidate, output: JobOutput, sent: Path | None
) -> JobScores:
    """Every score of one evaluation job; `sent` holds the rows that it was given."""
    rows = list(require_lines(sent, InputRow, JudgeJobError)) if sent is not None else []
    lines = [line for path in output.judged for line in path.read_bytes().splitlines()]
    scores = [
        AnswerScore(
            candidate,
            metric,
            answered.row.line,
            score.result,
            id=answered.row.id,
            category=answered.row.category,
            explanation=score.explanation,
            prompt=answered.row.prompt,
            answer=answered.row.response(candidate) or "",
            reference=answered.row.reference or "",
            cluster=answered.row.cluster,
        )
        for answered in scored_answers(judge, candidate, rows, lines)
        for metric, score in answered.scores.items()
    ]
    names = (stand_in_named(score.explanation) for score in scores)
    return JobScores(candidate, scores, stand_in=next((name for name in names if name), None))


def llmaj_job(subject: str, output: JobOutput, prompts: dict[str, int]) -> JobScores:
    """Every score of a serverless judge: it brings its own answers, so that its lines are the rows.

    Equal prompts of both subjects are one row; `prompts` numbers them over the jobs of a run.
    """
    lines = [line for path in output.judged for line in path.read_bytes().splitlines()]
    return JobScores(
        subject,
        list(_llmaj_scores(subject, lines, prompts)),
        reported_figures(output),
        stand_in=stand_in_of(output.results),
    )


def _llmaj_scores(
    subject: str, lines: Iterable[bytes], prompts: dict[str, int]
) -> Iterator[AnswerScore]:
    seen: Counter[str] = Counter()
    for content in lines:
        line = read_output_line(content)
        if line is None:
            continue  # its row has no score, which the row count shows
        seen[line.prompt] += 1
        key = f"{seen[line.prompt]} {line.prompt}"
        row = prompts.setdefault(key, len(prompts) + 1)
        for score in line.scores:
            yield AnswerScore(
                subject,
                score.metric,
                row,
                NO_RESULT if score.result is None else score.result,
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


class MetricResult(NamedTuple):
    """A judge's result by one metric: a number, a word of the scale, or why there is none."""

    result: float | str | Unscored
    explanation: str = ""


class ScoredAnswer(NamedTuple):
    """One answer with the judge's scores by metric name, without `Builtin.`."""

    row: InputRow
    scores: dict[str, MetricResult]


def scored_answers(
    judge: BedrockJudge, candidate: Candidate, rows: Sequence[InputRow], output: Iterable[bytes]
) -> list[ScoredAnswer]:
    """Every row with what the jobs wrote about its answer, in the order of `rows`.

    Bedrock keeps neither an id nor the order, so lines are matched by prompt and answer; equal
    ones are interchangeable. A row without a line, or a metric without a result, is unscored.
    """
    written: dict[tuple[str, str | None], list[tuple[OutputScore, ...]]] = defaultdict(list)
    for content in output:
        line = read_output_line(content)
        if line is not None:
            written[line.prompt, line.answer].append(line.scores)
    answers, facts = [], judge_facts(judge)
    for row in rows:
        waiting = written.get((row.shown, row.response(candidate) or ""))
        scores = waiting.pop(0) if waiting else None
        answers.append(ScoredAnswer(row, _by_metric(facts, scores)))
    return answers


def _by_metric(
    facts: dict[str, MetricFacts], scores: tuple[OutputScore, ...] | None
) -> dict[str, MetricResult]:
    if scores is None:
        missing = MetricResult(Unscored("the job wrote no readable line for this row"))
        return dict.fromkeys(facts, missing)
    # [?] Own metrics are expected under the name that the request gave them.
    by_name = {score.metric: score for score in scores}
    reported = ", ".join(sorted(by_name)) or "nothing"
    absent = MetricResult(Unscored(f"the job did not report this metric: it has {reported}"))
    return {
        name: _metric_result(by_name[name], known.scale or UNIT) if name in by_name else absent
        for name, known in facts.items()
    }


def _metric_result(score: OutputScore, scale: Scale) -> MetricResult:
    if score.result is None:
        return MetricResult(NO_RESULT, score.explanation)
    if isinstance(score.result, float):
        low, high = scale
        if not low <= score.result <= high:
            reason = f"the result {score.result} does not lie in [{low}, {high}]"
            return MetricResult(Unscored(reason), score.explanation)
    return MetricResult(score.result, score.explanation)
