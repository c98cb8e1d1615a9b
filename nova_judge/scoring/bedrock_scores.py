"""Scores out of what Bedrock's judge wrote: in jobs of its own, or as a serverless second step."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nova_judge.records import Candidate, InputRow, Unscored
from nova_judge.scoring.bedrock_judge import BedrockJudge, scored_answers
from nova_judge.scoring.files import ScoreFiles
from nova_judge.scoring.table import AnswerScore

_OPENING = "Stand-in judge "
_NO_RESULT = Unscored("the judge gave no result")


def bedrock_scores(
    judge: BedrockJudge, candidate: Candidate, files: ScoreFiles, sent: Path | None
) -> Iterator[AnswerScore]:
    """Every score of one job; `sent` holds the rows that it was given."""
    rows = _input_rows(sent) if sent is not None else []
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
                answer=(row.response_A if candidate == "A" else row.response_B) or "",
                reference=row.reference or "",
            )


def _input_rows(path: Path) -> list[InputRow]:
    decoder = msgspec.json.Decoder(InputRow)
    with path.open("rb") as file:
        return [decoder.decode(line) for line in file]


class _Explained(msgspec.Struct):
    explanation: str | None = None


class _Judged(msgspec.Struct):
    metricName: str
    result: float | str | None = None
    evaluatorDetails: tuple[_Explained, ...] = ()


class _Judgments(msgspec.Struct):
    scores: tuple[_Judged, ...] = ()


class _Asked(msgspec.Struct):
    prompt: str


class _LlmajLine(msgspec.Struct):
    automatedEvaluationResult: _Judgments
    inputRecord: _Asked


def llmaj_scores(subject: str, files: ScoreFiles, prompts: dict[str, int]) -> Iterator[AnswerScore]:
    """The judge's lines of a serverless run: it brings its own answers, so that lines are the rows.

    Equal prompts of both subjects are one row; `prompts` numbers them over the jobs of a run.
    """
    decoder = msgspec.json.Decoder(_LlmajLine)
    seen: Counter[str] = Counter()
    for path in files.judged:
        for content in path.read_bytes().splitlines():
            try:
                line = decoder.decode(content)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # its row has no score, which the row count shows
            seen[line.inputRecord.prompt] += 1
            key = f"{seen[line.inputRecord.prompt]} {line.inputRecord.prompt}"
            row = prompts.setdefault(key, len(prompts) + 1)
            for score in line.automatedEvaluationResult.scores:
                yield AnswerScore(
                    subject,
                    score.metricName.removeprefix("Builtin."),
                    row,
                    _NO_RESULT if score.result is None else score.result,
                    id=str(row),
                    explanation=" ".join(d.explanation or "" for d in score.evaluatorDetails),
                    prompt=line.inputRecord.prompt,
                )


def stand_in_of(score: AnswerScore) -> str | None:
    """Local mode's judge says so in each explanation."""
    if not score.explanation.startswith(_OPENING):
        return None
    return score.explanation.removeprefix(_OPENING).partition(":")[0]
