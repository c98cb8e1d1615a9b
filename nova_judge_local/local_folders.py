"""Folders of local mode, in a checkout and where the wheel was installed."""

from pathlib import Path
from typing import Final

from nova_judge.folders import ROOT

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "functions"

STACKS: Final = _PACKAGE / "stacks"
"""The templates of the stage `local`, as the CDK made them."""

FUNCTIONS: Final = _SHIPPED if _SHIPPED.is_dir() else ROOT
"""Holds the package `lambdas`: of the wheel, or the checkout's own."""

CACHE: Final = ROOT / ".nova-judge" / "cache" if (ROOT / "pyproject.toml").is_file() else None
"""What makes the next run of a checkout faster; an installed package writes nothing there."""
