"""Correct expected revenue by what came after earlier dates: its level, its slope and the width of the interval.

Source of the line: Cox, "Two further applications of a model for binary regression", 1958, carried over to revenue.
"""

from dataclasses import dataclass

import numpy as np

from insiders.units import COVERAGE, FITTED_DIGITS, LEVELS
from insiders.value.lifetime.optimum import descend, settle
from insiders.value.lifetime.processes import TINY, Array

SLOPE_MAX = 2.0  # among customers who are all alike any slope would fit, and a year ahead be worth more than the world


@dataclass(frozen=True)
class Calibration:
    """Revenue is exp(level) x expected ^ slope; the quantiles `levels` of its distribution held LEVELS of the outcomes.

    `season`: factor by which both ends are moved out; `windows`: past ones that it was measured on.
    """

    level: float = 0.0
    slope: float = 1.0
    levels: tuple[float, ...] = LEVELS
    season: float = 1.0
    windows: int = 0

    def on_line(self, expected: Array) -> Array:
        """Calibrated expected revenue."""
        return np.exp(self.level) * expected**self.slope

    def note(self) -> str:
        """What the interval rests on."""
        held = f"Between its levels lay {COVERAGE:.0%} of the outcomes of {self.windows} past windows"
        season = f"they cover less than a year, so both ends are moved out by {self.season - 1:.0%} for a season"
        return f"{held}; {season if self.season > 1 else 'they cover a year'}."


def fit_line(expected: Array, actual: Array) -> Calibration:
    """Poisson quasi-likelihood of revenue on the logarithm of its expectation: keeps the total and the order."""
    order = np.lexsort((actual, expected))  # the sums below do not depend on the order of the rows
    unit = float(expected[order].mean())
    x, y = np.log(np.maximum(expected[order] / unit, TINY)), actual[order] / unit

    def loss(line: Array) -> tuple[float, Array]:
        fitted = np.exp(line[0] + line[1] * x)
        value = float((fitted - y * (line[0] + line[1] * x)).mean())
        return value, np.array([(fitted - y).mean(), ((fitted - y) * x).mean()])

    start, low, high = np.array([np.log(y.mean()), 1.0]), np.array([-np.inf, TINY]), np.array([np.inf, SLOPE_MAX])
    best = settle(loss, descend(loss, [start], low, high), low, high)
    level, slope = np.round(best, FITTED_DIGITS).tolist()
    return Calibration(round(level + (1 - slope) * float(np.log(unit)), FITTED_DIGITS), slope)
