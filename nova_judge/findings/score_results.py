"""The metrics of a run that scored single answers."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from nova_judge.findings.metrics import RunFacts, scored_metrics
from nova_judge.records import Unscored
from nova_judge.scores.found import ScoresFound
from nova_judge.scores.headline import score_headline
from nova_judge.scores.table import Reported


def score_metrics(
    facts: RunFacts, found: ScoresFound, *, sent: int, names: Mapping[str, str]
) -> dict[str, Any]:
    """`metrics.json` of a scoring run.

    `sent` counts the rows that went into jobs; `names` says what each subject is called.
    """
    level = facts.settings.level
    judged = {score.row for score in found.scores if not isinstance(score.result, Unscored)}
    table = found.table
    subjects = list(dict.fromkeys(subject for subject, _ in table.known()))
    pair = next((p for p in (("A", "B"), ("base", "customised")) if set(p) <= set(subjects)), None)
    scores = table.figures(level)
    differences = [] if pair is None else table.differences(*pair, level)
    scored = {
        "headline": msgspec.structs.asdict(score_headline(scores, differences, names)),
        "scores": scores,
        "differences": differences,
        "job": {
            "reported": [
                {"subject": subject, "metric": metric, **_reported(figure)}
                for (subject, metric), figure in table.reported.items()
            ]
        },
    }
    errors = Counter({(f"score, {metric}", why): n for (metric, why), n in table.reasons().items()})
    return scored_metrics(
        facts,
        scored,
        judge_failed=max(sent - len(judged), 0),
        judged=len(judged),
        errors=errors,
        notes=found.notes,
    )


def _reported(figure: Reported) -> dict[str, float | None]:
    return {"value": figure.value, "standard_error": figure.standard_error}


def rows_seen(found: ScoresFound) -> int:
    """How many rows the containers brought along, for runs without an input file."""
    return len({score.row for score in found.scores})
