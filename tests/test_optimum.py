"""The lowest point of a loss: found from anywhere near, to the last digits, and never beyond a bound."""

import numpy as np
import pytest

from insiders.value.lifetime.optimum import Array, descend, settle

NOWHERE = (-np.inf, np.inf)


def valley(point: Array) -> tuple[float, Array]:
    """Rosenbrock's: lowest at (1, 1), at the end of a bent valley."""
    x, y = point
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2, np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])


def wells(point: Array) -> tuple[float, Array]:
    """Two, the lower one at -1.04."""
    (x,) = point
    return (x**2 - 1) ** 2 + 0.3 * x, np.array([4 * x * (x**2 - 1) + 0.3])


@pytest.mark.parametrize("start", [(-1.2, 1.0), (3.0, -2.0), (0.9, 0.9)])
def test_the_lowest_point_is_found_to_the_last_digits(start: tuple[float, float]) -> None:
    near = descend(valley, [np.array(start)], *NOWHERE)

    assert np.abs(settle(valley, near, *NOWHERE) - 1).max() < 1e-12


def test_where_the_way_began_does_not_show() -> None:
    ends = [settle(valley, 1 + np.array(shift), *NOWHERE) for shift in ((1e-4, -1e-4), (-3e-3, 2e-3), (0.0, 1e-6))]

    assert np.ptp(ends, axis=0).max() < 1e-12


def test_of_several_starts_the_lowest_end_counts() -> None:
    near = descend(wells, [np.array([0.9]), np.array([-0.9])], *NOWHERE)

    assert near == pytest.approx(-1.036, abs=1e-3)
    assert descend(wells, [np.array([-0.9]), np.array([0.9])], *NOWHERE) == pytest.approx(near, abs=1e-6)


@pytest.mark.parametrize("point", [(0.2, 0.1), (0.5, 0.25), (0.5, 0.0)])
def test_a_bound_is_reached_and_not_crossed(point: tuple[float, float]) -> None:
    found = settle(valley, np.array(point), -np.inf, 0.5)

    assert found.tolist() == pytest.approx([0.5, 0.25], abs=1e-12)


def test_a_ridge_is_left_downhill() -> None:
    assert settle(wells, np.array([0.1]), *NOWHERE) == pytest.approx(0.96, abs=1e-2)
