"""Runs on this machine that pages of Python start."""

import pytest

from tests.made.forks import accounts_from


@pytest.fixture
def quick_accounts(forks, monkeypatch) -> None:
    """Runs that this process starts import nothing anew."""
    accounts_from(forks, monkeypatch.setattr)
