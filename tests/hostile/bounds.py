"""What a hostile input may cost: processor seconds, which other programs do not disturb, and MB."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

ROOT = Path(__file__).resolve().parents[2]
_MEASURED = """
import json, resource, time
from pathlib import Path
{imports}
begun = time.process_time()
said = None
try:
{work}
except Exception as error:
    said = f"{{type(error).__name__}}: {{error}}"
spent = time.process_time() - begun
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({{"seconds": spent, "megabytes": peak, "said": said}}))
"""


Rounds = TypeVar("Rounds")


def rounds(fast: Rounds, full: Rounds) -> Rounds:
    """How much is tried: all of it in `make hostile`, a part in `make test`."""
    return full if os.environ.get("NOVA_JUDGE_HOSTILE") == "full" else fast


class Cost(NamedTuple):
    """Processor seconds of the work, peak MB of its process, and the last value or error."""

    seconds: float
    megabytes: float
    said: object


class TooSlowError(BaseException):
    """The work went past its bound; no `except Exception` of the work's hides it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise in the block once it has used more processor time."""

    def stop(*_: object) -> None:
        raise TooSlowError(f"more than {seconds} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def cost(imports: str, work: str, *, most_seconds: float = 60.0) -> Cost:
    """What `work` costs in a process of its own; it may set `said` to a small value."""
    program = _MEASURED.format(imports=imports, work=textwrap.indent(textwrap.dedent(work), "    "))
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=most_seconds,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return Cost(**json.loads(ran.stdout.splitlines()[-1]))
