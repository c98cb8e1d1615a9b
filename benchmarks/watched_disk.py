"""How much a folder holds at its fullest, while something else writes into it."""

import contextlib
import threading
from pathlib import Path


class Disk(threading.Thread):
    """Looks twice a second at how much lies in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self.peak = 0
        self._done = threading.Event()
        folder.mkdir(exist_ok=True)
        self.start()

    def run(self) -> None:
        while not self._done.wait(0.5):
            used = 0
            for path in self._folder.rglob("*"):
                with contextlib.suppress(OSError):
                    used += path.stat().st_size if path.is_file() else 0
            self.peak = max(self.peak, used)

    def stop(self) -> int:
        """The peak, in bytes."""
        self._done.set()
        self.join()
        return self.peak
