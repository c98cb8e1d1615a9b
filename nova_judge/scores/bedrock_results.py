"""Scores out of what Bedrock's judge wrote: in jobs of its own, or as a serverless second step."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nova_judge.errors import JudgeJobError
from nova_judge.json_lines import require_lines
from nova_judge.recipe.bedrock_judge import BedrockJudge
from nova_judge.recipe.bedrock_metrics import BUILTIN, CustomMetric, bedrock_evaluation
from nova_judge.recipe.serverless import ServerlessJudge
from nova_judge.records import Candidate, InputRow, Unscored
from nova_judge.runs.job_output import JobOutput
from nova_judge.scores.bedrock_output import OutputScore, read_output_line
from nova_judge.scores.container_scores import reported_figures, stand_in
from nova_judge.scores.found import JobScores
from nova_judge.scores.table import AnswerScore, MetricFacts
from nova_judge.statistics.metric_means import Scale

NO_RESULT = Unscored("the judge gave no result")
_OPENING = "Stand-in judge "


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
    names = (stand_in_of(score.explanation) for score in scores)
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
        stand_in=stand_in(output),
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


def stand_in_of(explanation: str) -> str | None:
    """Local mode's judge says so in each explanation."""
    if not explanation.startswith(_OPENING):
        return None
    return explanation.removeprefix(_OPENING).partition(":")[0]


def judge_facts(judge: BedrockJudge | ServerlessJudge) -> dict[str, MetricFacts]:
    """Scale and direction of the metrics that the judge is asked for."""
    own = judge.custom_metrics
    return {
        name: MetricFacts(
            "lower" if lower_is_better(own, name) else "higher", Scale(*metric_scale(own, name))
        )
        for name in (*judge.metrics, *(metric.name for metric in own))
    }


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
    answers = []
    for row in rows:
        waiting = written.get((row.shown, row.response(candidate) or ""))
        scores = waiting.pop(0) if waiting else None
        answers.append(ScoredAnswer(row, _by_metric(judge, scores)))
    return answers


def _by_metric(
    judge: BedrockJudge, scores: tuple[OutputScore, ...] | None
) -> dict[str, MetricResult]:
    if scores is None:
        missing = MetricResult(Unscored("the job wrote no readable line for this row"))
        return dict.fromkeys(_plain_names(judge), missing)
    # [?] Own metrics are expected under the name that the request gave them.
    by_name = {score.metric: score for score in scores}
    reported = ", ".join(sorted(by_name)) or "nothing"
    absent = MetricResult(Unscored(f"the job did not report this metric: it has {reported}"))
    return {
        name: _metric_result(judge, name, by_name[name]) if name in by_name else absent
        for name in _plain_names(judge)
    }


def _plain_names(judge: BedrockJudge) -> list[str]:
    return [name.removeprefix(BUILTIN) for name in judge.metric_names]


def _metric_result(judge: BedrockJudge, name: str, score: OutputScore) -> MetricResult:
    if score.result is None:
        return MetricResult(NO_RESULT, score.explanation)
    if isinstance(score.result, float):
        low, high = metric_scale(judge.custom_metrics, name)
        if not low <= score.result <= high:
            reason = f"the result {score.result} does not lie in [{low}, {high}]"
            return MetricResult(Unscored(reason), score.explanation)
    return MetricResult(score.result, score.explanation)


def metric_scale(custom: Sequence[CustomMetric], name: str) -> tuple[float, float]:
    """Between which numbers a metric's results lie: the own scale's ends, 0 and 1 for built-in."""
    for metric in custom:
        if metric.name == name and metric.bounds is not None:
            return metric.bounds
    return (0.0, 1.0)


def lower_is_better(custom: Sequence[CustomMetric], name: str) -> bool:
    """True where less of a metric is better, as with Harmfulness."""
    builtin = bedrock_evaluation().metrics.get(name)
    if builtin is not None:
        return builtin.better == "lower"
    return any(metric.name == name and metric.better == "lower" for metric in custom)
