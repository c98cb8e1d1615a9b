"""Nova Judge: which of two models answers better, with numbers that hold.

`import nova_judge as nj` costs nothing: each name below is imported when it is first used.

Public are these names, and in the modules below what their `__all__` names; the rest may change in
any version.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nova_judge.version import __version__

if TYPE_CHECKING:
    from nova_judge.api.compared import compare_answers
    from nova_judge.api.opened_run import OpenedRun, open
    from nova_judge.errors import NovaJudgeError
    from nova_judge.findings.merge_gate import Condition, GateOutcome
    from nova_judge.findings.metrics_record import Metrics
    from nova_judge.report.job_figure import plot_nova_judge_results

__all__ = [
    "Condition",
    "GateOutcome",
    "Metrics",
    "NovaJudgeError",
    "OpenedRun",
    "__version__",
    "compare_answers",
    "open",
    "plot_nova_judge_results",
]

_HOMES = {
    "Condition": "nova_judge.findings.merge_gate",
    "GateOutcome": "nova_judge.findings.merge_gate",
    "Metrics": "nova_judge.findings.metrics_record",
    "NovaJudgeError": "nova_judge.errors",
    "OpenedRun": "nova_judge.api.opened_run",
    "compare_answers": "nova_judge.api.compared",
    "open": "nova_judge.api.opened_run",
    "plot_nova_judge_results": "nova_judge.report.job_figure",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 (PEP 562: whatever the name stands for)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
