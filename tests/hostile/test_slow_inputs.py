"""No input of a few megabytes takes long or fills memory, whatever it holds."""

import pytest

from nova_judge.errors import NovaJudgeError
from tests.hostile import slow_inputs
from tests.hostile.bounds import cost, rounds, within

SECONDS = 2.5  # a second where nothing else runs: shared cores and caches double it
MEGABYTES = 200.0  # beyond what the imports take, which differs by machine
WORK = """
    said = []
    for name, case in list(CASES.items())[::{step}]:
        try:
            case()
        except NovaJudgeError:
            said.append(name)
"""
TABLE = """
    try:
        read_table(Path({file!r}))
    except NovaJudgeError:
        pass
"""
IMPORTS = """
from nova_judge.errors import NovaJudgeError
from tests.hostile.slow_inputs import CASES, read_table
"""


@pytest.mark.parametrize("name", list(slow_inputs.CASES)[:: rounds(3, 1)])
def test_no_input_takes_long(name):
    with within(SECONDS):
        try:
            slow_inputs.CASES[name]()
        except NovaJudgeError as error:
            assert len(str(error)) < 100_000


@pytest.fixture(scope="module")
def imported():
    """Peak MB of a process that imports the same and reads nothing."""
    return cost(IMPORTS, "pass").megabytes


def test_no_input_fills_memory(imported):
    spent = cost(IMPORTS, WORK.format(step=rounds(5, 1)), most_seconds=600)
    assert spent.megabytes - imported < MEGABYTES


@pytest.mark.parametrize("name", list(slow_inputs.TABLES))
def test_no_small_table_fills_memory_or_takes_long(name, tmp_path, imported):
    file = tmp_path / f"{name}.parquet"
    slow_inputs.write_table(name, file)
    spent = cost(IMPORTS, TABLE.format(file=str(file)))
    assert spent.megabytes - imported < MEGABYTES
    assert spent.seconds < SECONDS
