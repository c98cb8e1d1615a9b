"""Scores out of what Bedrock's judge wrote: in jobs of its own, or as a serverless second step."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nova_judge.errors import JudgeJobError
from nova_judge.json_lines import require_lines
from nova_judge.recipe.bedrock_judge import NO_RESULT, BedrockJudge, scored_answers
from nova_judge.recipe.bedrock_output import read_output_line
from nova_judge.records import Candidate, InputRow
from nova_judge.scores.job_outputs import ScoreFiles
from nova_judge.scores.table import AnswerScore

_OPENING = "Stand-in judge "


def bedrock_scores(
    judge: BedrockJudge, candidate: Candidate, files: ScoreFiles, sent: Path | None
) -> Iterator[AnswerScore]:
    """Every score of one job; `sent` holds the rows that it was given."""
    rows = list(require_lines(sent, InputRow, JudgeJobError)) if sent is not None else []
    lines = [line for path in files.judged for line in path.read_bytes().splitlines()]
    for answered in scored_answers(judge, candidate, rows, lines):
        row = answered.row
        for metric, score in answered.scores.items():
            yield AnswerScore(
                candidate,
                metric,
                row.line,
                score.result,
                id=row.id,
                category=row.category,
                explanation=score.explanation,
                prompt=row.prompt,
                answer=row.response(candidate) or "",
                reference=row.reference or "",
            )


def llmaj_scores(subject: str, files: ScoreFiles, prompts: dict[str, int]) -> Iterator[AnswerScore]:
    """The judge's lines of a serverless run: it brings its own answers, so that lines are the rows.

    Equal prompts of both subjects are one row; `prompts` numbers them over the jobs of a run.
    """
    seen: Counter[str] = Counter()
    for path in files.judged:
        for content in path.read_bytes().splitlines():
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


def stand_in_of(score: AnswerScore) -> str | None:
    """Local mode's judge says so in each explanation."""
    if not score.explanation.startswith(_OPENING):
        return None
    return score.explanation.removeprefix(_OPENING).partition(":")[0]
