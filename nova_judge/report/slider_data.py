"""Data of the page's sliders: whole numbers to reweigh every row, and the settings in force."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.findings.metrics_record import Metrics
from nova_judge.pairs.criteria import default_groups
from nova_judge.pairs.criterion_weights import (
    ReweighedFigures,
    coverage,
    figures,
    judge_weighting,
    looks_at_weights,
    mean_weights,
    reweigh,
)
from nova_judge.pairs.rubric_columns import RubricColumns, columns_from
from nova_judge.pairs.rubric_packing import PackedRows, RubricPacker
from nova_judge.records import JudgedRow
from nova_judge.report.page_rows import PageRow, pack
from nova_judge.statistics.statistics_settings import StatisticsSettings

MOST_ROWS = 200_000
MOST_SLIDERS = 12
_PER_CENT = 10_000  # millionths
_PLAIN = re.compile(r"[\w -]{1,80}")  # can be pasted into a shell as part of the command


class Slider(NamedTuple):
    """One group of criteria: where its slider starts, in percent, and how much it covers."""

    group: str
    code: int
    start: int
    share_of_rows: float


class SliderForm(msgspec.Struct, frozen=True):
    """Data of the page's script: how a verdict is stated, and `flat_rows`."""

    level: float
    margin: float | None
    blocked: bool
    looks: float
    rows: list[list[int]]


class Weights(NamedTuple):
    """The sliders, the result with the judge's own weights, and the payload of the page."""

    sliders: list[Slider]
    left_out: int
    own: ReweighedFigures
    form: SliderForm

    @property
    def packed(self) -> str:
        """The payload as the page holds it."""
        return pack(self.form)

    @property
    def own_result(self) -> str:
        """The result with the judge's own weights, as the sliders show it before they move."""
        own = self.own
        counts = {"a": own.a, "b": own.b, "ties": own.ties, "unscored": own.unscored}
        stated = {"word": own.verdict.word, "rate": own.win_rate, **counts}
        return msgspec.json.encode(stated).decode()


class WeightsEvidence:
    """Collects, while rows stream by, the rubrics for the sliders."""

    def __init__(self) -> None:
        self._groups = default_groups()
        self._packer = RubricPacker()
        self._rows = 0

    def watch(self, rows: Iterable[JudgedRow]) -> Iterator[JudgedRow]:
        """Pass the rows on, keeping whole numbers of their rubrics."""
        for row in rows:
            self._rows += 1
            if self._rows <= MOST_ROWS:
                self._packer.add(row.judgment)
            yield row

    def extend(self, rows: PackedRows) -> None:
        """The next rows, packed elsewhere."""
        self._rows += len(rows.counts)
        if self._rows <= MOST_ROWS:
            self._packer.extend(rows)

    def weights(self, metrics: Metrics) -> Weights | None:
        """Weights for the sliders; None without rubrics, or where the page could not hold them all.

        The page recomputes no anytime-valid interval and none of prompts that repeat, and a report
        under chosen weights has its weights: these get no sliders.
        """
        if metrics.verdict is None or self._rows > MOST_ROWS:
            return None
        settings = metrics.statistics
        if settings.anytime or metrics.clusters or metrics.one_order:
            return None
        columns = columns_from(self._packer.take(), self._groups)
        if not columns.scored.any():
            return None
        return _weights(columns, settings)

    def group_names(self, rows: Iterable[PageRow]) -> dict[str, str]:
        """The group of each criterion name in the page's rows, where it is not the name itself."""
        names = {each.name for row in rows for each in row.shown.criteria}
        grouped = {name: self._groups.group(name) for name in sorted(names)}
        return {name: group for name, group in grouped.items() if name != group}


def flat_rows(columns: RubricColumns) -> list[list[int]]:
    """For each row a flat list of group, score of A, score of B: see docs/rubric.md."""
    entries = columns.by_group
    table = np.stack([entries.group, entries.A, entries.B], axis=1)
    return [piece.ravel().tolist() for piece in np.split(table, entries.start[1:-1])]


def _weights(columns: RubricColumns, settings: StatisticsSettings) -> Weights:
    weights = mean_weights(columns)
    codes = {group: code for code, group in enumerate(columns.groups)}
    listed = coverage(columns)
    spelled = [covered for covered in listed if _PLAIN.fullmatch(covered.group)]
    sliders = [
        Slider(
            covered.group,
            codes[covered.group],
            round(int(weights[codes[covered.group]]) / _PER_CENT),
            covered.share_of_rows,
        )
        for covered in spelled[:MOST_SLIDERS]
    ]
    own = figures(columns, reweigh(columns, judge_weighting(columns)), settings)
    settled = SliderForm(
        level=settings.level,
        margin=settings.equivalence_margin,
        blocked=bool(own.verdict.blocked_by),
        looks=looks_at_weights(columns, settings.level),
        rows=flat_rows(columns),
    )
    return Weights(sliders, len(listed) - len(sliders), own, settled)
