"""The page that compares judges: agreement two by two, beyond chance, and where they differ."""

from collections.abc import Sequence
from typing import Any

from nova_judge import __version__
from nova_judge.findings.cross_check import NAMES, VERDICTS, CrossCheck, DifferingPair
from nova_judge.report.page import asset, environment

MOST_DIFFERENCES = 200
MOST_CHARACTERS = 4_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def render_cross_check(checked: CrossCheck) -> str:
    """The page, without a script."""
    shown = checked.differences[:MOST_DIFFERENCES]
    return (
        environment()
        .get_template("cross_check.html.j2")
        .render(
            checked=checked,
            verdicts=[NAMES[verdict] for verdict in VERDICTS],
            differences=[_shown(checked.judges, difference) for difference in shown],
            style=asset("report.css"),
            version=__version__,
        )
    )


def _shown(judges: Sequence[str], difference: DifferingPair) -> dict[str, Any]:
    prompt, answer_a, answer_b = (_cut(text) for text in difference.pair)
    verdicts = list(zip(judges, difference.verdicts, strict=True))
    return {"prompt": prompt, "A": answer_a, "B": answer_b, "verdicts": verdicts}


def _cut(text: str) -> str:
    left = len(text) - MOST_CHARACTERS
    return text if left <= 0 else f"{text[:MOST_CHARACTERS]}… [{left:,} more characters]"


def cross_check_json(checked: CrossCheck) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "judges": list(checked.judges),
        "common": checked.common,
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "rows": pair.rows,
                "agreed": pair.agreed,
                "agreement": pair.share,
                "kappa": pair.kappa,
                "table": pair.table,
                "by_category": pair.by_category,
            }
            for pair in checked.pairs
        ],
        "differences": [
            {
                "prompt": difference.pair[0],
                "verdicts": dict(zip(checked.judges, difference.verdicts, strict=True)),
            }
            for difference in checked.differences
        ],
    }
