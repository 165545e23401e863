"""How far two groups lie apart, in no unit: Cliff's delta with its interval.

Source: Cliff, "Dominance statistics: ordinal analyses to answer ordinal questions", 1993; the interval is his, not
symmetric, so that it stays within -1 and 1.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from insiders.units import NORMAL_QUANTILE, round_off

Array = NDArray[np.float64]

SMALLEST = 2  # in each group, below which no spread can be told


class Effect(NamedTuple):
    """P(one > other) - P(one < other) for one member of each group drawn by lot, with its interval."""

    delta: float
    low: float
    high: float


def cliffs_delta(one: Array, other: Array) -> Effect | None:
    """Of two groups of values; None where either has fewer than SMALLEST."""
    if min(len(one), len(other)) < SMALLEST:
        return None
    rows, columns = _dominance(one, other), -_dominance(other, one)
    delta = float(rows.mean())
    if abs(delta) == 1:  # no overlap: the spread is that of the smallest overlap which so few could have hidden
        bound = _hidden(min(len(one), len(other)))
        return Effect(delta, bound if delta > 0 else -1.0, 1.0 if delta > 0 else -bound)
    spread = rows.var(ddof=1) / len(one) + columns.var(ddof=1) / len(other)
    return Effect(delta, *round_off(_interval(delta, float(spread))).tolist())


def _dominance(one: Array, other: Array) -> Array:
    """Of each value the share of `other` below it less the share above it."""
    ranked = np.sort(other)
    below, upto = (np.searchsorted(ranked, one, side) for side in ("left", "right"))
    return np.asarray(below + upto - len(other)) / len(other)


def _hidden(count: int) -> float:
    return (count - NORMAL_QUANTILE**2) / (count + NORMAL_QUANTILE**2)


def _interval(delta: float, variance: float) -> tuple[float, float]:
    scaled = NORMAL_QUANTILE**2 * variance
    middle, below = delta - delta**3, 1 - delta**2 + scaled
    half = NORMAL_QUANTILE * variance**0.5 * ((1 - delta**2) ** 2 + scaled) ** 0.5
    return max((middle - half) / below, -1.0), min((middle + half) / below, 1.0)
