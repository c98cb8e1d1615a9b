"""The records that everything else speaks of."""

import enum
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

Candidate: TypeAlias = Literal["A", "B"]
CANDIDATES: tuple[Candidate, Candidate] = ("A", "B")


class Verdict(enum.StrEnum):
    """Verdict on one pair, in terms of the candidates A and B whatever the order shown."""

    A = "A"
    B = "B"
    TIE = "tie"
    BOTH_BAD = "both_bad"


class Unscored(NamedTuple):
    """A judgment that could not be read or was never given: never a number, always a reason."""

    reason: str


JudgedAs: TypeAlias = Verdict | Unscored
ONE_PASS = Unscored("the job judged each row in one order only")
Scored = TypeVar("Scored")


def scored_or_none(estimate: Scored | Unscored) -> Scored | None:
    """An estimate as `metrics.json` holds it: null where there is none, its reason in `notes`."""
    return None if isinstance(estimate, Unscored) else estimate


class S3Object(msgspec.Struct, frozen=True):
    """One version of one object; `size` in bytes. Without a key there is none."""

    bucket: str
    key: str
    version: str
    size: int

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}" if self.key else "none: the run reads no file"


class InputRow(msgspec.Struct, frozen=True, kw_only=True):
    """One usable line of the input file. `line` counts from 1.

    Rows of one `cluster` belong together, as several answers to one prompt do.

    `system` is an instruction of its own for the model that answers, `context` what the question
    is about. `lost` names optional fields that could not be read. `answers` holds those of a run of
    many candidates, of which each job compares two.
    """

    line: int
    prompt: str
    id: str
    response_A: str | None = None
    response_B: str | None = None
    reference: str | None = None
    category: str | None = None
    label: Verdict | None = None
    cluster: str | None = None
    system: str | None = None
    context: str | None = None
    lost: tuple[str, ...] = ()
    answers: dict[str, str] | None = None

    @property
    def question(self) -> str:
        """Question to a candidate: the context, a blank line, the prompt."""
        return f"{self.context}\n\n{self.prompt}" if self.context else self.prompt

    @property
    def shown(self) -> str:
        """Prompt as the judge is shown it: all that the candidate was given."""
        return f"{self.system}\n\n{self.question}" if self.system else self.question

    def response(self, candidate: Candidate) -> str | None:
        """The candidate's answer; None where the file brought none."""
        return self.response_A if candidate == "A" else self.response_B


class Rejected(msgspec.Struct, frozen=True):
    """One line of the input file that cannot be used, and why. `line` counts from 1."""

    line: int
    reason: str
    field: str | None = None


class Failure(msgspec.Struct, frozen=True):
    """Reason why one candidate, by its name in the recipe, gave no answer."""

    candidate: str
    reason: str
    tries: int
    detail: str = ""


class FailedRow(msgspec.Struct, frozen=True):
    """A row that is not judged, because a candidate gave no answer to it."""

    line: int
    id: str
    failures: tuple[Failure, ...]
    category: str | None = None


def as_rejected(row: FailedRow | Rejected) -> Rejected:
    """A row that a candidate did not answer as the line that cannot be used."""
    if isinstance(row, Rejected):
        return row
    failure = row.failures[0]
    return Rejected(row.line, failure.reason, f"response_{failure.candidate}")


class CriterionScores(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion without its texts: scores 1-5 for `scale`, true/false for `binary`."""

    name: str
    weight: float
    type: Literal["scale", "binary"]
    score_A: float
    score_B: float


class Criterion(CriterionScores, frozen=True, kw_only=True):
    """One criterion as the judge wrote it."""

    description: str = ""
    justification_A: str = ""
    justification_B: str = ""


class Rubric(msgspec.Struct, frozen=True, kw_only=True):
    """The rubric of one row, with what the container itself computed from it."""

    criteria: tuple[Criterion, ...]
    overall_justification: str = ""
    reported_score_A: float | None = None
    reported_score_B: float | None = None
    reported_margin: float | None = None


class Judgment(msgspec.Struct, frozen=True, kw_only=True):
    """Both verdicts on one row. `backward` is already turned: it speaks of the candidates."""

    forward: JudgedAs
    backward: JudgedAs
    forward_output: str | None = None
    backward_output: str | None = None
    rubric: Rubric | Unscored | None = None


class JudgedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was sent to the judge, with its judgment."""

    row: InputRow
    judgment: Judgment


JobMetrics: TypeAlias = dict[str, Any]


class Headline(msgspec.Struct, frozen=True):
    """The result of a run in a few words, and the evidence for it."""

    words: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.words}: {self.evidence}"
