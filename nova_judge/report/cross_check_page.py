"""The page that compares judges: agreement two by two, beyond chance, and where they differ."""

import msgspec

from nova_judge.findings.judge_agreement import CrossCheck, PairOfJudges
from nova_judge.report.page import render
from nova_judge.statistics.outcomes import VERDICTS
from nova_judge.text import count_of

MOST_DIFFERENCES = 200
MOST_CHARACTERS = 4_000


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
    return render(
        "cross_check.html.j2",
        checked=checked,
        verdicts=list(VERDICTS.values()),
        repeats=repeats(checked),
        differences=checked.differences[:MOST_DIFFERENCES],
        most_characters=MOST_CHARACTERS,
    )


def cross_check_json(checked: CrossCheck) -> CrossCheckDocument:
    """The same for programs."""
    stated = [
        DifferenceStated(
            difference.pair.prompt,
            difference.pair.id,
            dict(zip(checked.judges, difference.verdicts, strict=True)),
        )
        for difference in checked.differences
    ]
    return CrossCheckDocument(**checked._asdict() | {"differences": stated})
