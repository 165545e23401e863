"""How far forecasts were off, and the intervals that follow from it."""

from collections.abc import Sequence
from math import fsum
from typing import TypedDict

import numpy as np
import pandas as pd

from insiders.units import COVERAGE, round_off

UPPER_TAIL = (1 + COVERAGE) / 2  # level of the upper end of an interval that leaves out as much on both sides
ROUNDING = 1e-9  # of the actual revenue: a naive forecast that missed by less missed nothing


class Range(TypedDict):
    """Expected revenue and its interval."""

    expected: float
    low: float
    high: float


class Outcome(Range):
    """A row of a back-test: what was expected, what came, and what a naive forecast said."""

    as_of: str
    actual: float
    naive: float


def interval(expected: float, chance: float, level: float | None) -> tuple[float, float]:
    """Low and high of the sum: `chance` is its half-width by the customers' chance, `level` (a share) the group's.

    Both add up in squares; `level` None: not known.
    """
    width = float(np.hypot(chance, 0.0 if level is None else level * expected))
    low, high = round_off([max(expected - width, 0.0), expected + width]).tolist()
    return low, high


def chance_error(expectations: pd.DataFrame) -> float:
    """Half-width of the sum's interval; each customer's deviation is the wider side of their own interval.

    `expectations` has expected_revenue, expected_low and expected_high, one row per customer.
    """
    up = expectations["expected_high"] - expectations["expected_revenue"]
    down = expectations["expected_revenue"] - expectations["expected_low"]
    return float(np.sqrt(fsum(np.maximum(up, down) ** 2)))


def level_error(backtest: Sequence[Outcome]) -> float | None:
    """Half-width of the group's level as a share of what was expected; None without a row that expected anything."""
    from scipy.special import stdtrit

    errors = [row["actual"] / row["expected"] - 1 for row in backtest if row["expected"]]
    if not errors:
        return None
    return float(round_off(np.sqrt(np.mean(np.square(errors))) * stdtrit(len(errors), UPPER_TAIL)))


def mase(backtest: Sequence[Outcome]) -> float | None:
    """Mean absolute error over that of the naive forecast of the same rows (after Hyndman and Koehler 2006).

    The naive errors are those of the back-test itself, not those inside the history as in the original definition: both
    forecasts miss the same months. Below 1 the forecast beats the naive one. None where the naive forecast is exact.
    """
    error, naive_error, least = _errors(backtest)
    return error / naive_error if naive_error > least else None


def lost(backtest: Sequence[Outcome]) -> bool:
    """Whether the forecast erred more than the naive one of the same rows."""
    error, naive_error, least = _errors(backtest)
    return error > naive_error + least


def _errors(backtest: Sequence[Outcome]) -> tuple[float, float, float]:
    """Sums of absolute errors, the forecast's and the naive one's, and what is no error but rounding."""
    error = fsum(abs(row["actual"] - row["expected"]) for row in backtest)
    naive_error = fsum(abs(row["actual"] - row["naive"]) for row in backtest)
    return error, naive_error, ROUNDING * fsum(abs(row["actual"]) for row in backtest)


def coverage(backtest: Sequence[Outcome]) -> float | None:
    """Share of the rows whose actual revenue lies in their interval; None without a row."""
    return float(np.mean([row["low"] <= row["actual"] <= row["high"] for row in backtest])) if backtest else None
