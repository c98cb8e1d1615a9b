"""The gate before the model registry: what a triggered run says of the model that set it off."""

from typing import Final, Literal, NamedTuple

from nova_judge.errors import RequestError
from nova_judge.findings.merge_gate import Condition, GateOutcome, judge_gate
from nova_judge.findings.metrics_record import Metrics
from nova_judge.recipe.trigger import Decision
from nova_judge.runs.run import Run

_STATUS: Final[dict[GateOutcome, Literal["Approved", "Rejected"]]] = {
    GateOutcome.PASS: "Approved",
    GateOutcome.WORSE: "Rejected",
}
"""Anything else leaves a package as it is."""
_LONGEST_DESCRIPTION = 1024
NOTES: Final = ("nova-judge:outcome", "nova-judge:run")
"""The keys of what is noted, which are all that the stage may write."""


class RegistryFinding(NamedTuple):
    """The gate's outcome in words, why, and the approval that follows from it, if any does."""

    outcome: str
    reason: str
    approval: Literal["Approved", "Rejected"] | None

    def description(self, run_id: str) -> str:
        """The approval's description: one line of at most 1,024 characters."""
        text = " ".join(f"Nova Judge run {run_id}: {self.outcome}: {self.reason}".split())
        return text[:_LONGEST_DESCRIPTION]

    def notes(self, run_id: str) -> dict[str, str]:
        """Keys and values for the package's metadata or the job's tags."""
        return dict(zip(NOTES, (self.outcome, run_id), strict=True))


def registry_finding(run: Run, metrics: Metrics, decision: Decision) -> RegistryFinding:
    """The gate's answer to the demands of the stage; not evaluated where it is not about them.

    Not about them is a run of another recipe or input, and one in which B is not the model that
    set it off: a pass would approve a model that nobody asked.
    """
    reason = _other_run(run, decision) or _other_model(run, metrics)
    condition = Condition(GateOutcome.NOT_EVALUATED, reason) if reason else _gate(metrics, decision)
    outcome = condition.outcome
    return RegistryFinding(outcome.words, condition.reason, _STATUS.get(outcome))


def _gate(metrics: Metrics, decision: Decision) -> Condition:
    try:
        return judge_gate(metrics, decision.gate)
    except RequestError as error:
        return Condition(GateOutcome.NOT_EVALUATED, str(error))


def _other_run(run: Run, decision: Decision) -> str | None:
    if run.recipe.name != decision.recipe:
        return f"its recipe is {run.recipe.name}, and that of the trigger {decision.recipe}"
    if run.input.key != decision.input:
        return f"its input is {run.input.key}, and that of the trigger {decision.input}"
    return None


def _other_model(run: Run, metrics: Metrics) -> str | None:
    subject = run.trigger.subject if run.trigger else None
    if subject is None:
        return "neither a training job nor a model package set the run off"
    if metrics.scores:
        return None if subject in _evaluated(run) else f"the recipe does not evaluate {subject}"
    if "B" not in run.generated() or run.recipe.candidate("B").model != subject:
        return f"candidate B did not answer as {subject}: write $trigger for its model"
    return None


def _evaluated(run: Run) -> set[str]:
    """The models that a run of scores evaluates, whole: version 1 begins as version 12 does."""
    models = {run.recipe.candidate(name).model for name in run.generated()}
    serverless, nova = run.recipe.judge.serverless, run.recipe.judge.nova
    if serverless is not None and serverless.model_package is not None:
        models.add(serverless.model_package)
    return models if nova is None else models | {nova.run.model_name_or_path}
