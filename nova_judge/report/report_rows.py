"""The rows behind a report: the file that holds them all, and what of them the page shows.

Pairs with their judgments stream by once; single answers come with all their scores. A report is
drawn in one way, whichever of them it rests on.
"""

import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

import msgspec

from nova_judge.findings import sentences
from nova_judge.findings.judgments import write_judgments
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.saved_report import JUDGMENTS, SCORES, SavedReport
from nova_judge.parquet import remove_rows
from nova_judge.records import JudgedRow, Rejected, Unscored
from nova_judge.report.page_rows import RowSample, pack
from nova_judge.report.slider_data import Weights, WeightsEvidence, own_result
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
    packed_weights: str
    own_result: str


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


class ReportRows(Protocol):
    """The rows of a report."""

    @property
    def file(self) -> str:
        """The name of the file beside the page."""

    def parquet(self) -> bytes | None:
        """The file with all rows, None where it lies beside the page; to be called once, before
        `shown`."""

    def shown(self, metrics: Metrics) -> PairsShown | AnswersShown:
        """Choose what the page shows of them."""


class KeptPairs:
    """Pairs that went to a judge, of which the sample and the rubrics are kept."""

    file = JUDGMENTS

    def __init__(self, sample: RowSample, weights: WeightsEvidence) -> None:
        self._sample, self._weights = sample, weights

    def parquet(self) -> bytes | None:
        """Nothing: `judgments.parquet` lies beside the page."""
        return None

    def shown(self, metrics: Metrics) -> PairsShown:
        """An even sample of the rows."""
        rows = self._sample.rows()
        weights = self._weights.weights(metrics)
        held = {
            "rows": [row.shown for row in rows],
            "groups": self._weights.group_names(rows),
        }
        return PairsShown(
            count=len(rows),
            sample_sentence=sentences.sample(len(rows), self._sample.seen),
            packed=pack(held),
            weights=weights,
            packed_weights=pack(weights.form) if weights else "",
            own_result=own_result(weights),
        )


class WatchedPairs(KeptPairs):
    """Pairs that stream by; `reviewed` are those that people labelled, by line."""

    def __init__(
        self,
        rows: Iterable[JudgedRow],
        run_id: str,
        reviewed: Mapping[int, ReviewedRow] | None = None,
    ) -> None:
        super().__init__(RowSample(run_id, reviewed), WeightsEvidence())
        self._rows = self._sample.watch(self._weights.watch(rows))


class JudgedPairs(WatchedPairs):
    """Pairs whose file is to be written."""

    def parquet(self) -> bytes:
        """`judgments.parquet`; sample and sliders watch the rows as they pass."""
        return _written(lambda path: write_judgments(self._rows, path))


class StoredPairs(WatchedPairs):
    """Pairs whose file lies where it has to."""

    def parquet(self) -> None:
        """Nothing; sample and sliders watch the rows as they pass."""
        deque(self._rows, maxlen=0)


class ScoredAnswers:
    """Single answers with their scores."""

    file = SCORES

    def __init__(self, scores: Sequence[AnswerScore]) -> None:
        self._scores = scores

    def parquet(self) -> bytes:
        """`scores.parquet`."""
        return _written(lambda path: write_scores(self._scores, path))

    def shown(self, metrics: Metrics) -> AnswersShown:
        """The first rows with all their scores; nothing is cut in `scores.parquet`."""
        rows = dict.fromkeys(score.row for score in self._scores)
        kept = set(islice(rows, MOST_ANSWER_ROWS))
        answers: dict[tuple[int, str], AnswerShown] = {}
        for score in self._scores:
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
    return StoredPairs(report.rows(), report.metrics.run_id, reviewed_rows(report.folder))


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
