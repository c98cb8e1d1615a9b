"""What tests of several folders share."""

from collections.abc import Iterator

import pytest

from tests.made.forks import shared_forks


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """The process from which accounts, functions and commands are forked: it imports but once."""
    with shared_forks(tmp_path_factory.mktemp("forks")) as address:
        yield address
