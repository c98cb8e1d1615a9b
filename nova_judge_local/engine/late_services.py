"""The engine's services are loaded when they are first asked, not all when it starts.

To deploy stacks it imports sixty services, of which an account of ours asks a dozen: that takes
three quarters of the time in which it starts.
"""

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

SERVICES = "ministack.services."


def install() -> None:
    """Load services late from here on."""
    sys.meta_path.insert(0, _Finder)


class _Finder:
    """Finds the services that are one file."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(SERVICES):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or spec.parent != SERVICES[:-1]:
            return None
        spec.loader = _Loader(name, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Service(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing yet: see `_Service`."""


class _Service(ModuleType):
    """Runs its file when somebody looks for something that it does not have yet."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        vars(self).update(_loading=threading.RLock(), _loaded=False)

    def __getattr__(self, name: str) -> object:
        content = vars(self)
        if not name.startswith("__"):  # which the import asks of what is not there
            with content["_loading"]:
                if not content["_loaded"]:
                    content["_loaded"] = True
                    SourceFileLoader.exec_module(content["__loader__"], self)
        try:
            return content[name]
        except KeyError:
            raise AttributeError(f"module {self.__name__} has no attribute {name}") from None
