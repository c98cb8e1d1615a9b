"""The rows behind a report: the file that holds them all, and what of them the page shows.

Pairs with their judgments stream by once; single answers come with all their scores. A report is
drawn in one way, whichever of them it rests on.
"""

import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import ClassVar, TypeAlias

import msgspec

from nova_judge.findings import sentences
from nova_judge.findings.judgments import write_judgments
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.saved_report import JUDGMENTS, SCORES, SavedReport
from nova_judge.parquet import remove_rows
from nova_judge.records import JudgedRow, Rejected, Unscored
from nova_judge.report.page_rows import RowSample, pack
from nova_judge.report.slider_data import Weights, WeightsEvidence
from nova_judge.review.labels import LabelFolder, ReviewedRow, label_folder, read_review
from nova_judge.scores.scores_parquet import read_scores, write_scores
from nova_judge.scores.table import AnswerScore
from nova_judge.text import shortened

MOST_ANSWER_ROWS = 300
MOST_CHARACTERS = 4_000


class PairsShown(msgspec.Struct, frozen=True, kw_only=True):
    """The sample of pairs that the page holds, and its sliders over the criteria."""

    count: int
    sample_sentence: str
    packed: str
    weights: Weights | None


class ScoreShown(msgspec.Struct, frozen=True):
    """One score of an answer in words, and what its scorer said to it."""

    metric: str
    result: str
    explanation: str


class AnswerShown(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of one subject, its long texts cut, with all its scores."""

    subject: str
    id: str
    category: str | None
    prompt: str
    answer: str
    reference: str
    scores: list[ScoreShown]


class AnswersShown(msgspec.Struct, frozen=True, kw_only=True):
    """The answers to the first `shown` of `held` rows."""

    answers: list[AnswerShown]
    shown: int
    held: int


@dataclass(frozen=True)
class KeptPairs:
    """Pairs that went to a judge, of which the sample and the rubrics are kept.

    `parquet`: the file with all rows; None where it lies beside the page.
    """

    sample: RowSample
    weights: WeightsEvidence
    parquet: bytes | None = None
    file: ClassVar = JUDGMENTS

    def watch(self, rows: Iterable[JudgedRow]) -> Iterator[JudgedRow]:
        """Pass the rows on; sample and sliders watch them."""
        return self.sample.watch(self.weights.watch(rows))

    def shown(self, metrics: Metrics) -> PairsShown:
        """An even sample of the rows."""
        rows = self.sample.rows()
        held = {
            "rows": [row.shown for row in rows],
            "groups": self.weights.group_names(rows),
        }
        return PairsShown(
            count=len(rows),
            sample_sentence=sentences.sample(len(rows), self.sample.seen),
            packed=pack(held),
            weights=self.weights.weights(metrics),
        )


def judged_pairs(rows: Iterable[JudgedRow], run_id: str) -> KeptPairs:
    """Pairs whose file is to be written."""
    kept = KeptPairs(RowSample(run_id), WeightsEvidence())
    written = _written(lambda path: write_judgments(kept.watch(rows), path))
    return replace(kept, parquet=written)


def stored_pairs(
    rows: Iterable[JudgedRow], run_id: str, reviewed: Mapping[int, ReviewedRow] | None = None
) -> KeptPairs:
    """Pairs whose file lies where it has to; `reviewed` are those that people labelled, by line."""
    kept = KeptPairs(RowSample(run_id, reviewed), WeightsEvidence())
    deque(kept.watch(rows), maxlen=0)
    return kept


@dataclass(frozen=True)
class ScoredAnswers:
    """Single answers with their scores."""

    scores: Sequence[AnswerScore]
    file: ClassVar = SCORES

    @property
    def parquet(self) -> bytes:
        """`scores.parquet`."""
        return _written(lambda path: write_scores(self.scores, path))

    def shown(self, metrics: Metrics) -> AnswersShown:
        """The first rows with all their scores; nothing is cut in `scores.parquet`."""
        rows = dict.fromkeys(score.row for score in self.scores)
        kept = set(islice(rows, MOST_ANSWER_ROWS))
        answers: dict[tuple[int, str], AnswerShown] = {}
        for score in self.scores:
            if score.row in kept:
                answer = answers.setdefault((score.row, score.subject), _answer(score))
                answer.scores.append(
                    ScoreShown(
                        score.metric,
                        _in_words(score.result),
                        shortened(score.explanation, MOST_CHARACTERS),
                    )
                )
        ordered = [answers[place] for place in sorted(answers)]
        return AnswersShown(answers=ordered, shown=len(kept), held=len(rows))


ReportRows: TypeAlias = KeptPairs | ScoredAnswers
"""The rows of a report: the name and bytes of their file, and what the page shows of them."""


def _written(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="nova-judge-") as folder:
        path = Path(folder, "rows.parquet")
        write(path)
        return path.read_bytes()


def _answer(score: AnswerScore) -> AnswerShown:
    return AnswerShown(
        subject=score.subject,
        id=score.id,
        category=score.category and shortened(score.category, MOST_CHARACTERS),
        prompt=shortened(score.prompt, MOST_CHARACTERS),
        answer=shortened(score.answer, MOST_CHARACTERS),
        reference=shortened(score.reference, MOST_CHARACTERS),
        scores=[],
    )


def _in_words(result: float | str | Unscored) -> str:
    if isinstance(result, Unscored):
        return f"none: {result.reason}"
    return result if isinstance(result, str) else f"{result:.4g}"


def rows_of_report(report: SavedReport, out: Path) -> ReportRows | None:
    """The rows behind a report that is written to `out`, where a copy of them is put.

    None of a failed run. Raises SavedReportError, ReviewError.
    """
    if not report.metrics.completed:
        return None
    if report.metrics.scores is not None:
        return ScoredAnswers(read_scores(report.stored_evidence()))
    _copy(report.stored_judgments(), out / JUDGMENTS)
    return stored_pairs(report.rows(), report.metrics.run_id, reviewed_rows(report.folder))


def _copy(rows: Path, target: Path) -> None:
    if target.resolve() == rows.resolve():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_rows(target)
    if rows.is_dir():
        shutil.copytree(rows, target)
    else:
        shutil.copyfile(rows, target)


def reviewed_rows(report: Path) -> Mapping[int, ReviewedRow]:
    """The rows that people labelled, by line, of a report's folder. Raises ReviewError."""
    review = read_review(LabelFolder(label_folder(report)))
    return review.rows() if review else {}


def rejected_lines(report: Path) -> Iterator[Rejected]:
    """The lines that the run set aside, where its folder still has them."""
    file = report.parent / "rejected.jsonl"
    if file.is_file():
        yield from msgspec.json.Decoder(Rejected).decode_lines(file.read_bytes())
