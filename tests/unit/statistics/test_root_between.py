"""The root of an increasing function, and what it costs to find."""

import math

import pytest

from nova_judge.statistics.root_between import End, end_of, root_between


def found(function, centre: float, width: float) -> tuple[float, int]:
    """The root, and how often the function was asked."""
    asked = []

    def counted(at: float) -> float:
        asked.append(at)
        return function(at)

    low, high = (end_of(counted, centre, side * width) for side in (-1, 1))
    return root_between(counted, low, high), len(asked)


@pytest.mark.parametrize("root", [1e-6, 0.25, 0.5, 0.999])
@pytest.mark.parametrize(
    "shape",
    [lambda x: x, lambda x: x**3, lambda x: math.erf(40 * x), lambda x: math.expm1(9 * x)],
    ids=["line", "cube", "cliff", "curve"],
)
def test_the_root_is_found_in_few_steps(shape, root: float) -> None:
    at, asked = found(lambda x: shape(x - root), 0.5, 0.01)
    assert at == pytest.approx(root, abs=5e-4 if shape(0.1) == 0.1**3 else 1e-9)
    assert asked <= 40


def test_a_straight_line_takes_one_step() -> None:
    assert found(lambda x: x - 0.3, 0.3, 0.1) == (pytest.approx(0.3, abs=1e-12), 3)


def test_an_end_is_the_root_where_none_lies_between() -> None:
    assert root_between(math.sin, End(0.2, 0.1), End(0.4, 0.3)) == 0.2
    assert root_between(math.sin, End(0.2, -0.3), End(0.4, -0.1)) == 0.4
    assert found(lambda x: x + 1.0, 0.5, 0.1)[0] == pytest.approx(0.0, abs=1e-12)
    assert found(lambda x: x - 2.0, 0.5, 0.1)[0] == pytest.approx(1.0, abs=1e-12)
