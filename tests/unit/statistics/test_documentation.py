"""The worked examples of docs/statistics.md are what the code gives."""

import doctest
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "statistics.md"


def test_every_worked_example_is_right() -> None:
    found = doctest.testfile(str(DOCUMENT), module_relative=False)
    assert found.attempted > 20
    assert found.failed == 0
