"""Faults on demand: hands each injected fault out as often as its settings say."""

import threading
from collections.abc import Sequence
from typing import Generic, TypeVar

from nova_judge_local.emulator_settings import EndpointFault, JobFault

OneFault = TypeVar("OneFault", JobFault, EndpointFault)


class Faults(Generic[OneFault]):
    """The faults of one kind, counted. Safe to use from several threads."""

    def __init__(self, faults: Sequence[OneFault]) -> None:
        self._faults: tuple[OneFault, ...] = tuple(faults)
        self._left = [fault.times for fault in faults]
        self._lock = threading.Lock()

    def of(self, name: str) -> OneFault | None:
        """The first fault that concerns `name`, used up or not."""
        return next((fault for fault in self._faults if _subject(fault) in name), None)

    def take(self, fault: OneFault) -> bool:
        """Use `fault` once; False when it has been used as often as it may be."""
        with self._lock:
            index = self._faults.index(fault)
            self._left[index] -= 1
            enough: bool = self._left[index] >= 0
        return enough


def _subject(fault: JobFault | EndpointFault) -> str:
    return fault.job if isinstance(fault, JobFault) else fault.endpoint
