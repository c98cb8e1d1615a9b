"""The version of the package, which reports and runs carry."""

from typing import Final

__version__: Final = "0.2.0"
