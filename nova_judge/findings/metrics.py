"""`metrics.json`: everything that a run found, as plain data."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from nova_judge.errors import RowSumError
from nova_judge.findings.rubric_findings import RubricEvidence
from nova_judge.pairs.controls import ControlFinding, blocked_by
from nova_judge.pairs.job_figures import job_figures
from nova_judge.pairs.judge_dataset import ReasonCount
from nova_judge.pairs.judged_evidence import evidence_row
from nova_judge.plain import plain
from nova_judge.records import Candidate, JobMetrics, JudgedRow, Unscored
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.findings import find
from nova_judge.statistics.settings import DEFAULTS, StatisticsSettings

SCHEMA_VERSION = 1

_ESTIMATES = (
    "profiles",
    "forward",
    "backward",
    "both_bad",
    "reconciled",
    "win_rate",
    "win_rate_decisive",
    "win_rate_corrected",
    "standard_error",
    "repeats",
    "clusters",
    "verdict",
    "positions",
    "agreement",
    "calibration",
    "length_controlled",
    "format_controlled",
)


class InputFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The input object; `size` in bytes, `rows` counts its lines that are not blank."""

    uri: str
    version: str | None
    size: int
    rows: int


class RecipeFacts(msgspec.Struct, frozen=True):
    """The recipe as resolved."""

    name: str
    sha256: str


class CandidateFacts(msgspec.Struct, frozen=True):
    """A candidate: its name, and where its answers came from; `stand_in` as of a judge."""

    name: str
    source: str
    stand_in: str | None = None


class JudgeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The judge, or by its `role` the model under test where nobody judges.

    `stand_in` names what stood in for it in local mode.
    """

    model: str
    role: Literal["judge", "model"] = "judge"
    instance_type: str | None = None
    jobs: tuple[str, ...] = ()
    stand_in: str | None = None


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run beside its judgments. `created` is ISO 8601 in UTC.

    The counts are of rows; of the reasons, only the most frequent need be given. A finding among
    `controls` that blocks the verdict does so. `not_judged`: rows left over when judging stopped
    early; `rows` of the metrics then has them too.
    """

    run_id: str
    kind: str
    created: str
    input: InputFacts
    recipe: RecipeFacts
    candidates: dict[Candidate, CandidateFacts]
    judge: JudgeFacts
    rejected: int = 0
    rejected_reasons: tuple[ReasonCount, ...] = ()
    generation_failed: int = 0
    generation_reasons: tuple[ReasonCount, ...] = ()
    not_judged: int = 0
    cached: int = 0
    cost: dict[str, Any] | None = None
    settings: StatisticsSettings = DEFAULTS
    controls: tuple[ControlFinding, ...] = ()
    notes: tuple[str, ...] = ()


def compute_metrics(
    run: RunFacts, rows: Iterable[JudgedRow], job: JobMetrics | None
) -> dict[str, Any]:
    """The `metrics.json` of a completed run, in one pass over its rows.

    Raises RowSumError when input rows are not the sum of those rejected, failed and judged.
    """
    errors: Counter[tuple[str, str]] = Counter()
    rubrics = RubricEvidence()
    evidence = gather(_evidence(rows, errors, rubrics))
    profiles = evidence.profiles
    sums = _row_sum(run, judge_failed=profiles.judge_failed, judged=profiles.judged)
    blocking = (*run.settings.blocked_by, *blocked_by(run.controls))
    settings = msgspec.structs.replace(run.settings, blocked_by=blocking)
    found = plain(find(evidence, settings))
    return {
        **_frame(run, "completed", None),
        "statistics": plain(settings),
        "rows": sums,
        **{name: found[name] for name in _ESTIMATES},
        "slices": found["slices"],
        "controls": plain(run.controls),
        "rubric": rubrics.metrics(settings),
        "job": job_figures(job, profiles, settings),
        "generation": _generation(run),
        "errors": _errors(run, errors),
        "cost": run.cost,
        "notes": [*run.notes, *found["notes"]],
    }


def scored_metrics(
    run: RunFacts,
    scored: Mapping[str, Any],
    *,
    judge_failed: int,
    judged: int,
    errors: Counter[tuple[str, str]],
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """The `metrics.json` of a run that scored single answers; no pair was compared.

    `scored` holds what only such runs have (`scores`, `differences`, `job`); a row is judged when
    at least one metric gave it a score. Raises RowSumError when the rows do not add up.
    """
    return {
        **_frame(run, "completed", None),
        "rows": _row_sum(run, judge_failed=judge_failed, judged=judged),
        **dict.fromkeys(_ESTIMATES),
        "slices": [],
        "controls": [],
        "rubric": None,
        **scored,
        "generation": _generation(run),
        "errors": _errors(run, errors),
        "cost": run.cost,
        "notes": [*run.notes, *notes],
    }


def failed_metrics(run: RunFacts, stage: str, reason: str) -> dict[str, Any]:
    """The `metrics.json` of a run that failed at `stage`: what is known, and no estimate."""
    return {
        **_frame(run, "failed", {"stage": stage, "reason": reason}),
        "rows": {
            "input": run.input.rows,
            "rejected": run.rejected,
            "generation_failed": run.generation_failed,
            "judge_failed": None,
            "judged": None,
        },
        **dict.fromkeys(_ESTIMATES),
        "slices": [],
        "controls": [],
        "rubric": None,
        "job": None,
        "generation": _generation(run),
        "errors": [*_errors(run, Counter()), {"stage": stage, "reason": reason, "count": None}],
        "cost": run.cost,
        "notes": list(run.notes),
    }


def _frame(
    run: RunFacts, status: Literal["completed", "failed"], failure: dict[str, str] | None
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run.run_id,
        "status": status,
        "failure": failure,
        "kind": run.kind,
        "created": run.created,
        "input": {"uri": run.input.uri, "version": run.input.version, "size": run.input.size},
        "recipe": plain(run.recipe),
        "candidates": plain(run.candidates),
        "judge": plain(run.judge),
        "statistics": plain(run.settings),
    }


def _evidence(
    rows: Iterable[JudgedRow], errors: Counter[tuple[str, str]], rubrics: RubricEvidence
) -> Iterator[EvidenceRow]:
    for judged in rows:
        judgment = judged.judgment
        for stage, part in (
            ("judge, forward", judgment.forward),
            ("judge, backward", judgment.backward),
            ("rubric", judgment.rubric),
        ):
            if isinstance(part, Unscored):
                errors[stage, part.reason] += 1
        rubrics.add(judgment)
        yield evidence_row(judged)


def _row_sum(run: RunFacts, *, judge_failed: int, judged: int) -> dict[str, int]:
    sums = {
        "input": run.input.rows,
        "rejected": run.rejected,
        "generation_failed": run.generation_failed,
        "judge_failed": judge_failed,
        "judged": judged,
    }
    if run.not_judged:
        sums["not_judged"] = run.not_judged
    parts = {name: count for name, count in sums.items() if name != "input"}
    if sum(parts.values()) != run.input.rows:
        said = " + ".join(f"{count} {name}" for name, count in parts.items())
        raise RowSumError(
            f"run {run.run_id}: {said} = {sum(parts.values())} rows, but the input has "
            f"{run.input.rows}: rows were lost or counted twice, so no figure is reported. "
            f"Compare rejected.jsonl, responses/ and judge/*/rows.jsonl of the run."
        )
    return sums


def _generation(run: RunFacts) -> dict[str, Any]:
    return {
        "failed": run.generation_failed,
        "reasons": plain(run.generation_reasons),
        "cached": run.cached,
    }


def _errors(run: RunFacts, errors: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    counted = Counter(errors)
    for stage, reasons in (("input", run.rejected_reasons), ("generation", run.generation_reasons)):
        counted.update({(stage, reason.reason): reason.count for reason in reasons})
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"stage": stage, "reason": reason, "count": count} for (stage, reason), count in ordered
    ]
