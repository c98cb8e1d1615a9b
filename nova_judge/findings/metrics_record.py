"""`Metrics`: the record behind `metrics.json`, from which its schema is generated too.

A field is added with a default, so that reports of earlier versions stay readable;
`SCHEMA_VERSION` rises where that cannot be.
"""

from typing import Literal

import msgspec

from nova_judge.errors import SavedReportError
from nova_judge.findings.panel_findings import PanelFindings
from nova_judge.findings.rubric_record import RubricFindings
from nova_judge.findings.tournament_record import Tournament
from nova_judge.json_lines import indented
from nova_judge.pairs.controls import ControlFinding, Retest
from nova_judge.pairs.job_figures import JobFigures
from nova_judge.preflight.pricing import Cost
from nova_judge.records import Candidate, Headline
from nova_judge.runs.row_accounting import ReasonCount
from nova_judge.scores.metric_score import MetricDifference, MetricScore
from nova_judge.statistics.agreement import Agreement
from nova_judge.statistics.calibration import Calibration
from nova_judge.statistics.clusters import ClusterCounts, Repeats
from nova_judge.statistics.corrected_win_rate import CorrectedWinRate
from nova_judge.statistics.evidence import Basis
from nova_judge.statistics.findings import BothBad
from nova_judge.statistics.label_findings import LabelFindings
from nova_judge.statistics.length_control import ControlledRate
from nova_judge.statistics.outcomes import OrderTally, ReconciledTally
from nova_judge.statistics.positions import Positions
from nova_judge.statistics.slices import Slice
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.verdict import VerdictStated
from nova_judge.statistics.win_rate import Interval
from nova_judge.text import all_storable

SCHEMA_VERSION = 1


class RunFailure(msgspec.Struct, frozen=True):
    """The stage in which a run failed, and why."""

    stage: str
    reason: str


class InputFacts(msgspec.Struct, frozen=True):
    """The input file; `size` in bytes."""

    uri: str
    version: str | None
    size: int


class RecipeFacts(msgspec.Struct, frozen=True):
    """The recipe as resolved."""

    name: str
    sha256: str


class CandidateFacts(msgspec.Struct, frozen=True):
    """A candidate: its name, and where its answers came from; `stand_in` as of a judge."""

    name: str
    source: str
    stand_in: str | None = None

    @property
    def answers_from(self) -> str:
        """The file, the candidate, or what stood in for it."""
        return self.stand_in or self.source


class JudgeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The judge, or by its `role` the model under test where nobody judges.

    `stand_in` names what stood in for it in local mode. `prompt`: the file and digest of the words
    that a judge by calls was asked with.
    """

    model: str
    role: Literal["judge", "model"] = "judge"
    instance_type: str | None = None
    jobs: tuple[str, ...] = ()
    stand_in: str | None = None
    prompt: str | None = None


class Rows(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Account of the input's rows; `judge_failed` and `judged` are None in a failed run.

    `not_judged` are left over because judging stopped early.
    """

    input: int
    rejected: int
    generation_failed: int
    judge_failed: int | None
    judged: int | None
    not_judged: int = 0

    @property
    def accounted(self) -> int:
        """The sum of all parts, which must be `input`."""
        judging = (self.judge_failed or 0) + (self.judged or 0) + self.not_judged
        return self.rejected + self.generation_failed + judging


class GenerationFacts(msgspec.Struct, frozen=True):
    """Rows without an answer, why, and how many answers came from the store."""

    failed: int
    reasons: tuple[ReasonCount, ...]
    cached: int


class ErrorCount(msgspec.Struct, frozen=True):
    """Number of rows that a stage left out for one reason; None where they were not counted."""

    stage: str
    reason: str
    count: int | None


class Reweighing(msgspec.Struct, frozen=True):
    """Weights that somebody chose in place of the judge's, spelled as for `reweight`.

    Verdict, win rates, categories and weighted scores are then those of the rubrics under these
    weights; `forward` and `reconciled` count the rubrics' verdicts, of which there is one per row.
    Positions, criteria and the job's own figures stay the judge's.
    """

    weights: str = ""
    drop: str = ""
    only: str = ""

    def __str__(self) -> str:
        named = {"": self.weights, "without ": self.drop, "only ": self.only}
        return "; ".join(f"{how}{names}" for how, names in named.items() if names)


class ReviewerFacts(msgspec.Struct, frozen=True):
    """One reviewer: rows labelled, and rows left out on purpose."""

    name: str
    labelled: int
    skipped: int


class ReviewFindings(msgspec.Struct, frozen=True, kw_only=True):
    """A review of drawn rows.

    drawn: rows of the design. labelled: those with a label. agreement: the share of all rows on
    which people say what both orders of the judge say, labels weighted by one over the probability
    of their draw; a flip agrees with nobody. labelled_twice: rows that several reviewers labelled.
    alpha: Krippendorff's, over these, None where it is not defined. differing: lines on which
    people and the judge say different things, the first ones.
    """

    drawn: int
    labelled: int
    reviewers: tuple[ReviewerFacts, ...]
    agreement: Interval | None
    labelled_twice: int
    alpha: float | None
    differing: tuple[int, ...]
    differing_count: int


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run found. An estimate that the run does not allow is None.

    A run that compared two candidates has the fields from `profiles` to `rubric`, one that scored
    single answers has `headline`, `scores` and `differences`, one of many candidates `headline` and
    `tournament`; a failed run has none of them.
    """

    schema_version: int = SCHEMA_VERSION
    run_id: str
    status: Literal["completed", "failed"]
    failure: RunFailure | None
    kind: str
    created: str
    input: InputFacts
    recipe: RecipeFacts
    candidates: dict[Candidate, CandidateFacts]
    judge: JudgeFacts
    statistics: StatisticsSettings
    rows: Rows
    profiles: dict[str, int] | None = None
    forward: OrderTally | None = None
    backward: OrderTally | None = None
    both_bad: BothBad | None = None
    reconciled: ReconciledTally | None = None
    win_rate: Interval | None = None
    win_rate_decisive: Interval | None = None
    win_rate_corrected: CorrectedWinRate | None = None
    win_rate_by_rates: Interval | None = None
    labels: LabelFindings | None = None
    review: ReviewFindings | None = None
    standard_error: float | None = None
    repeats: Repeats | None = None
    clusters: ClusterCounts | None = None
    verdict: VerdictStated | None = None
    positions: Positions | None = None
    agreement: Agreement | None = None
    calibration: Calibration | None = None
    length_controlled: ControlledRate | None = None
    format_controlled: ControlledRate | None = None
    style_controlled: ControlledRate | None = None
    slices: tuple[Slice, ...] = ()
    controls: tuple[ControlFinding, ...] = ()
    retest: Retest | None = None
    rubric: RubricFindings | None = None
    panel: PanelFindings | None = None
    basis: Basis = Basis.BOTH_ORDERS
    reweighed: Reweighing | None = None
    headline: Headline | None = None
    scores: tuple[MetricScore, ...] | None = None
    differences: tuple[MetricDifference, ...] | None = None
    tournament: Tournament | None = None
    job: JobFigures | None = None
    generation: GenerationFacts | None = None
    errors: tuple[ErrorCount, ...] = ()
    cost: Cost | None = None
    notes: tuple[str, ...] = ()

    @property
    def one_order(self) -> bool:
        """True if rows have one verdict, which `forward` and `reconciled` count."""
        return self.basis is not Basis.BOTH_ORDERS

    @property
    def completed(self) -> bool:
        """True if the run ended with figures."""
        return self.status == "completed"

    def name(self, side: Candidate) -> str | None:
        """A candidate's name; None where the run compares none."""
        return self.candidates[side].name if side in self.candidates else None

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """Reasons to conclude nothing from the judge's verdicts; empty without one."""
        return self.statistics.blocked_by


def storable_metrics(metrics: Metrics) -> Metrics:
    """The same with texts that every file can hold: a judge may write half of a surrogate pair."""
    try:
        msgspec.json.encode(metrics)
    except UnicodeEncodeError:
        return msgspec.convert(all_storable(msgspec.to_builtins(metrics)), Metrics)
    return metrics


def encode_metrics(metrics: Metrics) -> bytes:
    """`metrics.json`, indented, with its fields in the order of the record."""
    return indented(metrics)


def decode_metrics(content: bytes, named: str) -> Metrics:
    """The record in a `metrics.json`; raises SavedReportError, which names the field at fault."""
    try:
        return msgspec.json.decode(content, type=Metrics)
    except msgspec.ValidationError as error:
        raise SavedReportError(
            f"{named} does not hold the metrics of a run as this version writes them ({error}). "
            "Evaluate again with this version; the results file of a judge job is read by "
            "`nova-judge audit`."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SavedReportError(f"{named} is not JSON: {error}") from error
