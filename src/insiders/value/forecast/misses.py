"""How far forecasts were off, and the intervals that follow from it."""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

import numpy as np
import pandas as pd

COVERAGE = 0.8  # of every interval: insiders.csv's and the group's
TAIL = (1 + COVERAGE) / 2
ROUNDING = 1e-9  # of what came: a naive forecast that missed less missed nothing


def interval(expected: float, chance: float, level: float | None) -> tuple[float, float]:
    """Both half-widths, the customers' chance and the group's level (a share; None: not known), in one interval."""
    width = float(np.hypot(chance, 0.0 if level is None else level * expected))
    return max(expected - width, 0.0), expected + width


def chance_error(insiders: pd.DataFrame) -> float:
    """Half-width of the sum's interval; each customer's deviation from the wider side of their own interval."""
    up = insiders["expected_high"] - insiders["expected_revenue"]
    down = insiders["expected_revenue"] - insiders["expected_low"]
    return float(np.sqrt(fsum(np.maximum(up, down) ** 2)))


def level_error(backtest: Sequence[Mapping[str, Any]]) -> float | None:
    """Half-width of the group's level as a share of what was expected."""
    from scipy.special import stdtrit

    misses = [row["actual"] / row["expected"] - 1 for row in backtest if row["expected"]]
    if not misses:
        return None
    return float(np.sqrt(np.mean(np.square(misses))) * stdtrit(len(misses), TAIL))


def mase(backtest: Sequence[Mapping[str, Any]]) -> float | None:
    """Mean absolute error by that of the naive forecast of the same rows (after Hyndman and Koehler 2006).

    The naive errors are those of the back-test itself, not those inside the history as in the original definition: both
    forecasts miss the same months. Below 1 it beats `as much as in the period before`.
    """
    missed = fsum(abs(row["actual"] - row["expected"]) for row in backtest)
    naive = fsum(abs(row["actual"] - row["naive"]) for row in backtest)
    came = fsum(abs(row["actual"]) for row in backtest)
    return missed / naive if naive > ROUNDING * came else None


def coverage(backtest: Sequence[Mapping[str, Any]]) -> float | None:
    """Share of the back-test's rows whose actual revenue lay in the interval given for it."""
    return float(np.mean([row["low"] <= row["actual"] <= row["high"] for row in backtest])) if backtest else None
