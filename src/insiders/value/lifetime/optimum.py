"""The lowest point of a smooth loss, so exactly that the digits that are kept of it are the same on every processor.

Where a descent stops depends on last bits. Where the slope is zero does not, and Newton's method goes there: each step
doubles the digits that are right.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Array = NDArray[np.float64]
Bound = Array | float  # of all coordinates, or of each; infinite where there is none
Loss = Callable[[Array], tuple[float, Array]]  # of a point: value and gradient

NEAR = {"ftol": 1e-9, "gtol": 1e-6}  # where a descent may stop
ALIKE = 9  # decimals of a loss: ends that agree so far are one, and the first counts
STEPS = 20  # of Newton's method at most: from a bowl's side it takes 3, along a valley 9
REACH = 1.0  # of a step in any coordinate, which are of the order of 1
SETTLED = 1e-11  # a step no longer than this is the last
APART = 1e-4  # half the way between two gradients whose difference is the curvature
FLAT = 1e-10  # a curvature below this counts as this


def descend(loss: Loss, starts: Iterable[Array], low: Bound, high: Bound) -> Array:
    """A point near the lowest one between the bounds that a descent (L-BFGS-B) from any of the starts reaches."""
    bounds = optimize.Bounds(low, high)
    ends = [
        optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=NEAR) for start in starts
    ]
    return np.asarray(min(ends, key=lambda end: round(float(end.fun), ALIKE)).x)


def settle(loss: Loss, point: Array, low: Bound, high: Bound) -> Array:
    """The lowest point between the bounds, from a point near it."""
    for _ in range(STEPS):
        last, point = point, _newton(loss, point, low, high)
        if np.abs(point - last).max() <= SETTLED:
            break
    return point


def _newton(loss: Loss, point: Array, low: Bound, high: Bound) -> Array:
    """One step against the slope, as far as the curvature says; a bound holds back what leans on it.

    Where the loss curves down, as along a ridge, the step is that of one that curves up as much (Dauphin et al. 2014).
    """
    slope = loss(point)[1]
    free = ((point > low) | (slope < 0)) & ((point < high) | (slope > 0))
    sizes, axes = np.linalg.eigh(_curvature(loss, point)[np.ix_(free, free)])
    step = np.zeros_like(point)
    step[free] = -axes @ (axes.T @ slope[free] / np.maximum(np.abs(sizes), FLAT))
    return np.clip(point + step * REACH / max(np.abs(step).max(), REACH), low, high)


def _curvature(loss: Loss, point: Array) -> Array:
    shifts = APART * np.eye(len(point))
    rows = np.array([loss(point + shift)[1] - loss(point - shift)[1] for shift in shifts]) / (2 * APART)
    return (rows + rows.T) / 2
