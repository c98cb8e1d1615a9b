"""Stand-ins for the scorers that AWS's container brings along: `prime_math` and `prime_code`."""

from pathlib import Path

from nova_judge.scores.scorer_sandbox import SandboxLimits

NAMES = ("prime_math", "prime_code")
# Answers to coding prompts are programs that nobody has read: one process for each, and one that
# does not come to its end has not passed its tests.
LIMITS = {
    "prime_math": SandboxLimits(),
    "prime_code": SandboxLimits(rows_per_process=1, ended={"prime_code": 0.0, "tests_passed": 0.0}),
}


def preset_scorer(name: str) -> Path:
    """The file of the stand-in for the preset `name`."""
    return Path(__file__).with_name(f"{name}.py")
