"""Triggers as `cdk.json` names them: what starts a recipe, and what its result sets."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from nova_judge.layout import INBOX
from nova_judge.recipe.trigger import Approval, Decision, GateDemands, Settable

OWN_NAMES = "nova-judge-"
"""Begins the names of every stage's jobs, which must start nothing."""
MOST_CHARACTERS = 3_000
"""Lambda's environment takes 4 KiB
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

_JobNameBegin: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]{0,61}\Z",
        description="how the names of training jobs begin",
    ),
]
_Group: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}\Z",
        description="the name of a group of model packages",
    ),
]
_Schedule: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(rate|cron)\([^()]{1,200}\)\Z",
        description="rate(7 days), or cron(0 6 ? * MON *)",
    ),
]


class StageTrigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trigger of a stage: one of `when_trained`, `when_registered` and `schedule` sets it off.

    `when_trained`: how the names of the jobs begin whose completion starts the recipe.
    `when_registered`: the group whose packages do, when they are registered or change to one of
    `approvals`; none of these means whatever their approval is. `schedule`: `rate(…)` or `cron(…)`
    in a `timezone`. `input`: the key of the file below `inbox/`; none for benchmarks. `sets`: what
    the result sets, by the demands of `gate`. `no_cache`: every answer is asked for again.
    """

    recipe: Annotated[str, Meta(pattern=r"^[\w.-]{1,100}\Z", description="a recipe's name")]
    input: Annotated[
        str, Meta(pattern=rf"^({INBOX}.{{1,900}})?\Z", description=f"a key below {INBOX}")
    ] = ""
    when_trained: _JobNameBegin | None = None
    when_registered: _Group | None = None
    approvals: Annotated[
        tuple[Approval, ...],
        Meta(description="a list of Approved, Rejected and PendingManualApproval"),
    ] = ("PendingManualApproval",)
    schedule: _Schedule | None = None
    timezone: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,50}\Z")] = "UTC"
    no_cache: bool = False
    sets: Annotated[tuple[Settable, ...], Meta(description='a list of "approval" and "tag"')] = ()
    gate: GateDemands = GateDemands()

    @property
    def by(self) -> Literal["training_job", "model_package", "schedule"]:
        """What sets it off."""
        if self.schedule is not None:
            return "schedule"
        return "training_job" if self.when_trained is not None else "model_package"

    @property
    def decision(self) -> Decision:
        """What its runs decide."""
        return Decision(self.recipe, self.input, self.sets, self.gate, self.approvals)


def trigger_problems(triggers: Mapping[str, StageTrigger]) -> Iterator[str]:
    """The faults of triggers that are well formed one by one."""
    for name, one in triggers.items():
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,29}", name):
            yield f"{name}: a name has up to 30 lower-case letters, digits and hyphens"
        yield from (f"{name}{problem}" for problem in _problems(one))
    decisions = {name: one.decision for name, one in triggers.items() if one.sets}
    if len(msgspec.json.encode(decisions)) > MOST_CHARACTERS:
        yield f": what they decide is longer than {MOST_CHARACTERS:,} characters of JSON"


def _problems(one: StageTrigger) -> Iterator[str]:
    named = [one.when_trained, one.when_registered, one.schedule]
    if sum(each is not None for each in named) != 1:
        yield ": exactly one of when_trained, when_registered and schedule is allowed"
    begins = one.when_trained
    if begins and (OWN_NAMES.startswith(begins) or begins.startswith(OWN_NAMES)):
        yield (
            f".when_trained: found {begins!r}; jobs of Nova Judge begin with {OWN_NAMES}, and "
            "would start themselves: name a longer beginning, or another one"
        )
    if "approval" in one.sets and one.when_registered is None:
        yield ".sets: only a model package has an approval; leave `approval` out"
    if "tag" in one.sets and one.schedule is not None:
        yield ".sets: a schedule has neither a job nor a package to tag; leave `sets` out"
    if one.gate != GateDemands() and not one.sets:
        yield ".gate: without `sets` nobody reads it; name `approval` or `tag` there"
