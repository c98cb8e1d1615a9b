"""Tells the model registry what a triggered run decided, as far as the stage lets it."""

from collections.abc import Mapping

from nova_judge.aws import model_registry, s3
from nova_judge.errors import RunStateError
from nova_judge.findings.metrics_record import decode_metrics
from nova_judge.findings.registry_finding import RegistryFinding, registry_finding
from nova_judge.layout import RunLayout
from nova_judge.recipe.trigger import Decision
from nova_judge.runs.run import Run
from nova_judge.steps import run_folder


def tell_registry(
    bucket: str, run_id: str, decisions: Mapping[str, Decision], jobs: str
) -> RegistryFinding:
    """Read a run's report, ask the gate, and write its answer; twice the same is once.

    The run itself names its trigger, whose demands are among `decisions`: an event may name
    another. `jobs` begins the ARNs of the account's training jobs. Raises RunStateError for a run
    that no trigger which decides set off.
    """
    run = run_folder.read_run(bucket, run_id)
    trigger = run.trigger if run else None
    decision = decisions.get(trigger.name or "") if trigger else None
    if run is None or decision is None:
        raise RunStateError(f"run {run_id}: no trigger that decides set it off, or it is not there")
    key = RunLayout(run_id).report_file("metrics.json")
    metrics = decode_metrics(s3.read(bucket, key), f"s3://{bucket}/{key}")
    finding = _unless_decided(run, registry_finding(run, metrics, decision), decision)
    _write(run, finding, decision, jobs)
    return finding


def _unless_decided(run: Run, finding: RegistryFinding, decision: Decision) -> RegistryFinding:
    """The finding without its approval where somebody has decided since the run began."""
    package = run.trigger.model_package if run.trigger else None
    if package is None or finding.approval is None or "approval" not in decision.sets:
        return finding
    now = model_registry.approval_of(package)
    if not decision.approvals or now in decision.approvals:
        return finding
    reason = f"{finding.reason}; the package is {now or 'without an approval'} by now, and stays so"
    return finding._replace(approval=None, reason=reason)


def _write(run: Run, finding: RegistryFinding, decision: Decision, jobs: str) -> None:
    trigger, run_id = run.trigger, run.run_id
    notes = finding.notes(run_id) if "tag" in decision.sets else {}
    if trigger and trigger.model_package:
        approval = finding.approval if "approval" in decision.sets else None
        description = finding.description(run_id)
        model_registry.update_package(trigger.model_package, notes, approval, description)
    elif trigger and trigger.training_job and notes:
        # SageMaker writes the names in its ARNs in lower case.
        model_registry.tag_job(f"{jobs}{trigger.training_job.lower()}", notes)
