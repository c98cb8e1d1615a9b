"""Runs over time: which may stand in one trend, and the difference where two may not."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import orjson

from nova_judge.findings.comparability import (
    SAME_FIGURES,
    SAME_SERIES,
    UNNAMED,
    Setting,
    compared_settings,
    first_difference,
)
from nova_judge.findings.metrics_record import InputFacts
from nova_judge.findings.saved_report import SavedReport
from nova_judge.parquet import connect, files_of, has_rows
from nova_judge.text import count_of

_SAME_LINES = """
    SELECT count(*) FILTER (WHERE one.prompt IS DISTINCT FROM other.prompt
                               OR one.reference IS DISTINCT FROM other.reference),
           count(*) FILTER (WHERE one.response_A IS DISTINCT FROM other.response_A),
           count(*),
           (SELECT count(*) FROM read_parquet($one)) + (SELECT count(*) FROM read_parquet($other))
    FROM read_parquet($one) one JOIN read_parquet($other) other USING (line)
"""


Series: TypeAlias = tuple[SavedReport, ...]
"""Runs that may be compared, the oldest first."""


class Refused(NamedTuple):
    """A run that may not stand in a trend, and why."""

    report: SavedReport
    difference: str


def group(reports: Iterable[SavedReport]) -> list[Series]:
    """All runs in series of comparable ones; the series with the newest run comes first."""
    series: list[list[SavedReport]] = []
    for report in sorted(reports, key=_age):
        home = next((runs for runs in series if difference(runs[0], report) is None), None)
        if home is None:
            series.append([report])
        else:
            home.append(report)
    return [tuple(runs) for runs in sorted(series, key=lambda r: _age(r[-1]), reverse=True)]


def trend(reference: SavedReport, reports: Iterable[SavedReport]) -> tuple[Series, list[Refused]]:
    """The runs that may be compared with `reference`, and those that may not, with the reason."""
    together, refused = [], []
    for report in sorted(reports, key=_age):
        forbids = difference(reference, report)
        if forbids is None:
            together.append(report)
        else:
            refused.append(Refused(report, forbids))
    return tuple(together or [reference]), refused


def difference(one: SavedReport, other: SavedReport) -> str | None:
    """The first difference that forbids a comparison, in words; None where there is none.

    Candidate B may differ: that is what a trend shows. Everything else must be the same.
    """
    both_completed = one.metrics.completed and other.metrics.completed
    facts = (*SAME_SERIES, *SAME_FIGURES) if both_completed else SAME_SERIES
    differs = first_difference(one.metrics, other.metrics, facts)
    if differs is not None:
        stated, instead = differs.other or "none", differs.one or "none"
        return f"different {differs.name}: {stated} instead of {instead}"
    return other_data(one, other) or _other_settings(one, other)


def other_data(one: SavedReport, other: SavedReport) -> str | None:
    """Difference of two runs' prompts; None where their inputs, or their judged lines, agree."""
    here, there = one.metrics.input, other.metrics.input
    if here.version is not None and (here.uri, here.version) == (there.uri, there.version):
        return None
    differs = f"different data: {_data(there)} instead of {_data(here)}"
    if not (has_rows(one.judgments) and has_rows(other.judgments)):
        return differs
    lines = _compare_lines(one.judgments, other.judgments)
    same_file = here.size == there.size  # then lines that only one run judged prove nothing
    if not lines.common or not (same_file or lines.all == 2 * lines.common):
        return differs
    if lines.other_prompts:
        return (
            f"{differs} ({lines.other_prompts} of "
            f"{count_of(lines.common, 'line differs', 'lines differ')})"
        )
    if one.metrics.name("A") in UNNAMED and lines.other_baseline:
        return (
            f"different baseline: response_A has other answers on {lines.other_baseline} of "
            f"{count_of(lines.common, 'line')} (--name-a says that it is one)"
        )
    return None


class _Lines(NamedTuple):
    """The lines that two runs have in common, and how they differ; `all` counts those of both."""

    other_prompts: int
    other_baseline: int
    common: int
    all: int


def _compare_lines(one: Path, other: Path) -> _Lines:
    with connect() as connection:
        names = {"one": files_of(one), "other": files_of(other)}
        counted = connection.execute(_SAME_LINES, names).fetchone()
    return _Lines(*map(int, counted)) if counted else _Lines(0, 0, 0, 0)


def _other_settings(one: SavedReport, other: SavedReport) -> str | None:
    if one.metrics.recipe.sha256 == other.metrics.recipe.sha256:
        return None
    here, there = _settings(one), _settings(other)
    if here is None or there is None:
        return "different settings: the recipe changed, and request.json is not there to say where"
    changed = sorted({setting.path for setting in here ^ there})
    return f"different settings: {', '.join(changed)}" if changed else None


def _settings(report: SavedReport) -> frozenset[Setting] | None:
    """Settings that must agree; None where `request.json` is missing."""
    request = report.folder.parent / "request.json"
    if not request.is_file():
        return None
    recipe = orjson.loads(request.read_bytes()).get("recipe")
    return compared_settings(recipe) if isinstance(recipe, dict) else None


def _data(facts: InputFacts) -> str:
    return f"{facts.uri} ({facts.size:,} bytes, version {facts.version or 'none'})"


def _age(report: SavedReport) -> tuple[str, str]:
    return report.metrics.created, report.metrics.run_id
