"""What tests of several folders share."""

import gc
import os
from collections.abc import Iterator

import pytest

from tests.made.forks import shared_forks

# The collector of cycles goes through all objects whenever they are a quarter more, as every client
# of AWS makes them: a third of the time of tests that call it. A twentieth as often will do.
YOUNG, MIDDLE, _ = gc.get_threshold()
gc.set_threshold(YOUNG, MIDDLE, 200)


def pytest_xdist_auto_num_workers() -> int:
    """One process more than processors: tests of runs wait for the emulator a third of the time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """The process from which accounts, functions and commands are forked: it imports but once."""
    with shared_forks(tmp_path_factory.mktemp("forks")) as address:
        yield address
