"""Triggers of a stage, and how the recipes that they start name what set them off."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from nova_judge.errors import RecipeError, RequestError
from nova_judge.recipe.asked_model import JobName, PackageArn
from nova_judge.recipe.shape import read_record

TRIGGER: Final = "$trigger"
"""Stands in a recipe for the training job or the model package that starts the run."""

TriggerName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{0,29}\Z",
        description="a name of up to 30 lower-case letters, digits and hyphens",
    ),
]
Settable: TypeAlias = Literal["approval", "tag"]
Approval: TypeAlias = Literal["Approved", "Rejected", "PendingManualApproval"]


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What set a run off: one of a training job, a model package and a time in ISO 8601.

    `name`: the stage's trigger; without one a person names the job or the package. `event`: the id
    of the event, which may come again.
    """

    name: TriggerName | None = None
    training_job: JobName | None = None
    model_package: PackageArn | None = None
    scheduled: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    event: Annotated[str, Meta(min_length=1, max_length=100)] | None = None

    @property
    def subject(self) -> str | None:
        """The job's name or the package's ARN; None for a time."""
        return self.training_job or self.model_package

    @property
    def identity(self) -> str:
        """The same for each event of one job, package or time."""
        return self.subject or f"{self.name} {self.scheduled}"

    def problem(self) -> str | None:
        """The reason why this says nothing, or two things."""
        named = [self.training_job, self.model_package, self.scheduled]
        if sum(each is not None for each in named) != 1:
            return "trigger: exactly one of training_job, model_package and scheduled is allowed"
        return None


class GateDemands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Demands of the gate, which B has to meet. Rates and differences are fractions.

    min_win_rate: at one half, the gate follows the verdict: B better passes, A better is worse. At
    any other rate, the whole interval must lie at or above it to pass, below it to be worse.
    max_errors: the share of rows that may be without a verdict in both orders, of the file's rows
    less those left over when judging stopped early.
    criteria: least mean difference B less A per criterion, on the scale from 0 to 1. Where single
    answers were scored, per metric: the least by which B, or the customised model, is better, in
    the metric's own units; with one model alone, the least mean (the most, where less is better).
    confidence: level of the win rate's interval, None for the run's own.
    """

    min_win_rate: Annotated[float, Meta(ge=0, le=1)] = 0.5
    max_errors: Annotated[float, Meta(ge=0, le=1)] = 0.05
    criteria: dict[str, float] = {}
    confidence: Annotated[float, Meta(ge=0.5, lt=1)] | None = None

    def __post_init__(self) -> None:
        for name in ("min_win_rate", "max_errors"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise RequestError(f"{name} {value:g}: a fraction from 0 to 1 is expected")


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a trigger's runs decide: of this recipe and input, by these demands.

    `sets`: the package's approval, and a note of the outcome at the package or the job.
    `approvals`: those that may be changed; none of these means whatever the approval is.
    """

    recipe: str
    input: str = ""
    sets: tuple[Settable, ...] = ()
    gate: GateDemands = GateDemands()
    approvals: tuple[Approval, ...] = ()


def trigger_of(subject: str) -> Trigger:
    """A person's trigger: the ARN of a model package, else the name of a training job."""
    key = "model_package" if subject.startswith("arn:") else "training_job"
    return read_record({key: subject}, Trigger, file="--trigger", error=RequestError)


def require_named(trigger: Trigger | None, recipe: msgspec.Struct) -> None:
    """Raise RequestError where a person named a job or package that the recipe does not take."""
    if trigger is None or trigger.subject is None:
        return
    if f'"{trigger.subject}"' not in msgspec.json.encode(recipe).decode():
        raise RequestError(
            f"--trigger {trigger.subject}: the recipe names no {TRIGGER}: write it where the job "
            f"or the package stands, as in `B: {{training_job: {TRIGGER}}}`, or leave --trigger out"
        )


def with_trigger(document: Any, trigger: Trigger | None) -> Any:  # noqa: ANN401 - YAML
    """A recipe's document with what set the run off in the place of each `$trigger`.

    Raises RecipeError, naming the key, where nothing that is named there did.
    """
    return _filled(document, trigger, "")


def _filled(value: Any, trigger: Trigger | None, where: str) -> Any:  # noqa: ANN401 - YAML
    if isinstance(value, Mapping):
        return {
            key: _filled(inner, trigger, f"{where}.{key}" if where else str(key))
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_filled(inner, trigger, f"{where}[{i}]") for i, inner in enumerate(value)]
    return _subject(trigger, where) if value == TRIGGER else value


def _subject(trigger: Trigger | None, where: str) -> str:
    subject = None if trigger is None else trigger.subject
    if trigger is None or subject is None:
        raise RecipeError(
            f"{where}: {TRIGGER} stands for the training job or the model package that starts the "
            "run, and nothing did: name one with the --trigger of submit, doctor or estimate, let "
            "a trigger of the stage start it, or write a name in place of it"
        )
    wanted = where.rpartition(".")[2]
    if wanted in ("training_job", "model_package") and getattr(trigger, wanted) is None:
        raise RecipeError(f"{where}: {TRIGGER} is {subject!r}, which is no {wanted}")
    return subject
