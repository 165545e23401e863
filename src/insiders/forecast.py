"""The revenue of the whole group in the coming period, with an interval that admits how past forecasts missed."""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

import numpy as np
import pandas as pd

COVERAGE = 0.8  # of every interval: insiders.csv's and the group's
_TAIL = (1 + COVERAGE) / 2


def outlook(insiders: pd.DataFrame, backtest: Sequence[Mapping[str, Any]], horizon_days: int) -> dict[str, Any]:
    """Sum what is expected of the members (columns expected_revenue, expected_low, expected_high) over the period.

    The interval is not the sum of the lows and highs, which would have all customers miss on the same side. Chance
    adds up in variances, customer by customer; what moves everybody together (a season, the economy) is taken from
    the back-test: the root mean square of actual / expected - 1 over its dates, widened by Student's t for so few.
    `chance_error` and `level_error` are the two half-widths, as shares of what is expected; null: no back-test.
    """
    expected = fsum(insiders["expected_revenue"])
    chance, level = chance_error(insiders), level_error(backtest)
    low, high = interval(expected, chance, level)
    return {
        "horizon_days": horizon_days,
        "expected": expected,
        "low": low,
        "high": high,
        "interval": COVERAGE,
        "chance_error": chance / expected if expected > 0 else None,
        "level_error": level,
        "backtest_mase": mase(backtest),
        "coverage": coverage(backtest),
        "more_than_expected": sum(row["actual"] > row["expected"] for row in backtest),
        "backtest": [dict(row) for row in backtest],
    }


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
    return float(np.sqrt(np.mean(np.square(misses))) * stdtrit(len(misses), _TAIL))


def mase(backtest: Sequence[Mapping[str, Any]]) -> float | None:
    """Mean absolute scaled error (Hyndman and Koehler 2006): below 1 it beats `as much as in the period before`."""
    missed = sum(abs(row["actual"] - row["expected"]) for row in backtest)
    naive = sum(abs(row["actual"] - row["naive"]) for row in backtest)
    return missed / naive if naive else None


def coverage(backtest: Sequence[Mapping[str, Any]]) -> float | None:
    """Share of the back-test's dates whose actual revenue lay in the interval given for it."""
    return float(np.mean([row["low"] <= row["actual"] <= row["high"] for row in backtest])) if backtest else None
