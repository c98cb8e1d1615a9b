"""Parts that an installation may leave out: the core has no emulator and no registry SDK."""

from importlib import import_module
from typing import Literal, TypeAlias

from nova_judge.errors import MissingExtraError

Extra: TypeAlias = Literal["local", "registry", "pandas", "polars", "arrow"]


def require(extra: Extra, module: str) -> None:
    """Import a module of the extra. Raises MissingExtraError that says what to install."""
    try:
        import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{module} is not installed; install it with: pip install 'nova-judge[{extra}]'"
        ) from error
