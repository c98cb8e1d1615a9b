"""The page that compares judges: agreement two by two, beyond chance, and where they differ."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from nova_judge.findings.judge_agreement import CrossCheck, DifferingPair, PairOfJudges
from nova_judge.report.page import render
from nova_judge.statistics.outcomes import VERDICTS
from nova_judge.text import count_of, shortened

MOST_DIFFERENCES = 200
MOST_CHARACTERS = 4_000


class DifferenceShown(NamedTuple):
    """A pair on which judges differ, its texts cut, with each judge's verdict."""

    prompt: str
    A: str
    B: str
    verdicts: list[tuple[str, str | None]]
    id: str


class DifferenceStated(msgspec.Struct, frozen=True):
    """The prompt of a pair on which judges differ, its id, and their verdicts by judge."""

    prompt: str
    id: str
    verdicts: dict[str, str | None]


class CrossCheckDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Document that `cross-check --json` prints."""

    judges: tuple[str, ...]
    common: int
    repeated: int
    by_ids: bool
    pairs: tuple[PairOfJudges, ...]
    differences: list[DifferenceStated]


def repeats(checked: CrossCheck) -> str:
    """State how rows that equal an earlier one were matched; empty without any."""
    if not checked.repeated:
        return ""
    how = "by their ids" if checked.by_ids else "in their order, because the runs' ids differ"
    return (
        f"{count_of(checked.repeated, 'row repeats', 'rows repeat')} an earlier pair: matched "
        f"{how}."
    )


def render_cross_check(checked: CrossCheck) -> str:
    """The page, without a script."""
    shown = checked.differences[:MOST_DIFFERENCES]
    return render(
        "cross_check.html.j2",
        checked=checked,
        verdicts=list(VERDICTS.values()),
        repeats=repeats(checked),
        differences=[_shown(checked.judges, difference) for difference in shown],
    )


def _shown(judges: Sequence[str], difference: DifferingPair) -> DifferenceShown:
    verdicts = list(zip(judges, difference.verdicts, strict=True))
    prompt, answer_a, answer_b = (shortened(text, MOST_CHARACTERS) for text in difference.pair[:3])
    return DifferenceShown(
        prompt, answer_a, answer_b, verdicts, shortened(difference.pair.id, MOST_CHARACTERS)
    )


def cross_check_json(checked: CrossCheck) -> CrossCheckDocument:
    """The same for programs."""
    return CrossCheckDocument(
        judges=checked.judges,
        common=checked.common,
        repeated=checked.repeated,
        by_ids=checked.by_ids,
        pairs=checked.pairs,
        differences=[
            DifferenceStated(
                difference.pair.prompt,
                difference.pair.id,
                dict(zip(checked.judges, difference.verdicts, strict=True)),
            )
            for difference in checked.differences
        ],
    )
