"""Stand-ins for the scorers that AWS's container brings along: `prime_math` and `prime_code`."""

from pathlib import Path

from nova_judge.scoring.scorer_sandbox import SandboxLimits

NAMES = ("prime_math", "prime_code")
# Answers to coding prompts are programs that nobody has read: one process for each.
LIMITS = {"prime_math": SandboxLimits(), "prime_code": SandboxLimits(10.0, rows_per_process=1)}


def preset_scorer(name: str) -> Path:
    """The file of the stand-in for the preset `name`."""
    return Path(__file__).with_name(f"{name}.py")
