"""Each way's forecast of each group, their combination, and how wide the interval has to be.

Forecasts are logarithms of net revenue per day: errors are shares, and the same share up or down is as likely.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from insiders.units import MONTH_DAYS, round_off
from insiders.value.forecast import ways
from insiders.value.forecast.accuracy import UPPER_TAIL
from insiders.value.forecast.groups import Group

Array = NDArray[np.float64]

TOP_DOWN, BOTTOM_UP, COMBINED = "top_down", "bottom_up", "combined"
FLOOR = 0.01  # of what the members promise: a month below it, or below 0 by refunds, counts as this
TINY = 1e-9
LEARN_FROM = 3  # full months that a group must have known for its errors to count
PRIOR_MONTHS = 2  # ended months without an error that every correction of the level starts from
UNSEEN_LEVEL = 0.25  # standard deviation (log) of the level, as a season that was never seen moves it ...
UNSEEN_MONTHS = 6  # ... and the ended months that weigh as much as this
DRIFT = 0.25  # by how much of itself the variance of the level grows with each further month


class Forecast(NamedTuple):
    """One way's forecast of one group; `level` is the standard deviation of what moves all months together."""

    logs: Array
    level: float
    freedom: int  # degrees of freedom behind `level`


def forecasts(groups: Sequence[Group]) -> list[dict[str, Forecast]]:
    """Forecasts of every group by way, earliest group first; each learns from months that had ended by its date."""
    logs = [_logs(group, groups[:place]) for place, group in enumerate(groups)]
    return [
        {name: Forecast(each, *_level(name, groups[: place + 1], logs)) for name, each in logs[place].items()}
        for place in range(len(groups))
    ]


def half_widths(forecast: Forecast, group: Group) -> Array:
    """Half-width (log) of each month's interval."""
    deviation = np.hypot(forecast.level * _drift(forecast.logs), _chance(group, group.days))
    return np.asarray(deviation * stdtrit(forecast.freedom, UPPER_TAIL))


def half_width(forecast: Forecast, group: Group, days: Array) -> float:
    """Half-width (log) of the interval of the sum over that many days of each month."""
    return float(np.hypot(*_parts(forecast, group, days)))


def errors(forecast: Forecast, group: Group, days: Array) -> tuple[float, float]:
    """The two half-widths of that sum as shares of it: by the level of all months, and by chance."""
    level, chance = round_off(np.expm1(_parts(forecast, group, days))).tolist()
    return level, chance


def _parts(forecast: Forecast, group: Group, days: Array) -> Array:
    """Half-widths by the level, which moves all months together, and by chance, which moves each for itself."""
    amounts = np.exp(forecast.logs) * days
    shares = amounts / amounts.sum()
    level = forecast.level * (shares * _drift(forecast.logs)).sum()
    chance = np.sqrt(((shares * _chance(group, days)) ** 2).sum())
    return np.array([level, chance]) * stdtrit(forecast.freedom, UPPER_TAIL)


def ended(earlier: Group, as_of: pd.Timestamp) -> NDArray[np.bool_]:
    """Which of the months ahead of the earlier group were over by the date."""
    return np.asarray(earlier.ahead + pd.offsets.MonthBegin(1) <= as_of) & ~np.isnan(earlier.actual)


def naive(group: Group, kind: str) -> Array:
    """Logarithms of a naive forecast (of ways.NAIVE): the last month, the same one a year before, the last quarter."""
    return ways.NAIVE[kind](past_logs(group), len(group.ahead))


def past_logs(group: Group) -> Array:
    return np.log(np.maximum(group.rates, _floor(group)))


def actual_logs(group: Group) -> Array:
    return np.log(np.maximum(group.actual, _floor(group)))


def _logs(group: Group, earlier: Sequence[Group]) -> dict[str, Array]:
    ahead = len(group.ahead)
    past, coming = ways.season(group.shop, ahead)
    bottom_up = np.log(np.maximum(group.bottom_up, TINY)) + _correction(group, earlier, past) + coming
    if not group.known_months:
        return {BOTTOM_UP: bottom_up, COMBINED: bottom_up}
    single = {name: way(past_logs(group) - past, ahead) + coming for name, way in ways.TOP_DOWN.items()}
    top_down = np.mean(list(single.values()), axis=0)
    combined = np.mean([*single.values(), bottom_up], axis=0)
    return {**single, TOP_DOWN: top_down, BOTTOM_UP: bottom_up, COMBINED: combined}


def _correction(group: Group, earlier: Sequence[Group], past: Array) -> float:
    """Mean error (log) of earlier groups' promises for their first month, shrunk by PRIOR_MONTHS without any."""
    season = dict(zip(group.months, past, strict=True))
    differences = [
        actual_logs(each)[0] - season[each.ahead[0]] - np.log(max(each.bottom_up[0], TINY))
        for each in earlier
        if each.known_months >= LEARN_FROM and ended(each, group.as_of)[0]
    ]
    return float(np.sum(differences) / (len(differences) + PRIOR_MONTHS))


def _level(name: str, groups: Sequence[Group], logs: Sequence[Mapping[str, Array]]) -> tuple[float, int]:
    """Level of the last group and its degrees of freedom: earlier errors beyond the members' chance, and the unseen."""
    *earlier, group = groups
    variances: list[float] = []
    over: set[pd.Timestamp] = set()
    for each, by_way in zip(earlier, logs, strict=False):
        if each.known_months >= LEARN_FROM and name in by_way:
            is_over = ended(each, group.as_of)
            over.update(each.ahead[is_over])
            excess = (actual_logs(each) - by_way[name]) ** 2 - _chance(each, each.days) ** 2
            variances.extend((excess / _drift(by_way[name]) ** 2)[is_over])
    variance = max(float(np.mean(variances)), 0.0) if variances else 0.0
    freedom = len(over) + UNSEEN_MONTHS
    return float(np.sqrt((len(over) * variance + UNSEEN_MONTHS * UNSEEN_LEVEL**2) / freedom)), freedom


def _drift(logs: Array) -> Array:
    """Standard deviation of the level in each month ahead, relative to the first."""
    return np.sqrt(1 + DRIFT * np.arange(len(logs)))


def _chance(group: Group, days: Array) -> Array:
    """Standard deviation (log) by chance of so many days of each month; the fewer days, the larger."""
    return np.asarray(group.chance * np.sqrt(MONTH_DAYS / np.maximum(days, 1)))


def _floor(group: Group) -> float:
    return max(FLOOR * float(group.bottom_up[0]), TINY)
