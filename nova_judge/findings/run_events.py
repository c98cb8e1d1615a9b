"""Events of our own on the account's bus, which chat bots and pipelines build on.

source        nova-judge
detail-type   Nova Judge Run Started, … Judged, … Decided or … Failed
detail        a `RunEvent`; its schema is docs/event.schema.json
"""

from typing import Literal, TypeAlias

import msgspec

from nova_judge.findings.index_entry import FAILED, REPORTED, IndexEntry
from nova_judge.runs.job_outcome import EVENT_SOURCE
from nova_judge.statistics.decision import Word

DECIDED = (Word.A_BETTER, Word.B_BETTER, Word.EQUIVALENT)
EVENT_VERSION = 1
"""Rises where a field changes its meaning or goes; a new field is not a new version."""
RunEventKind: TypeAlias = Literal["Started", "Judged", "Decided", "Failed"]


class RunEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The detail of an event: the stage and the run as the index knows it then."""

    version: int = EVENT_VERSION
    stage: str
    run: IndexEntry


def detail_type(kind: RunEventKind) -> str:
    """The name of an event, by which rules choose."""
    return f"Nova Judge Run {kind}"


def kinds_of(entry: IndexEntry) -> tuple[RunEventKind, ...]:
    """The events that an entry's state is worth: a report is judged, and decided if it decides."""
    if entry.status == FAILED:
        return ("Failed",)
    if entry.status != REPORTED:
        return ("Started",)
    return ("Judged", "Decided") if entry.verdict in DECIDED else ("Judged",)


def entries_of(stage: str, entry: IndexEntry) -> list[dict[str, str]]:
    """The entries of a PutEvents call that tells of a run."""
    detail = msgspec.json.encode(RunEvent(stage=stage, run=entry)).decode()
    return [
        {"Source": EVENT_SOURCE, "DetailType": detail_type(kind), "Detail": detail}
        for kind in kinds_of(entry)
    ]
