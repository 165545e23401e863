"""Each way's forecast of each group, their combination, and how wide the interval has to be.

Forecasts are logarithms of net revenue per day: errors are shares, and the same share up or down is as likely. At each
date all earlier groups are forecast once more with the season that is known by then, and what had ended says how far
the members' promises are off, how much each way weighs and how wide the interval is.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from insiders.units import FITTED_DIGITS, MONTH_DAYS, round_off
from insiders.value.forecast import season, ways
from insiders.value.forecast.accuracy import UPPER_TAIL
from insiders.value.forecast.groups import Group
from insiders.value.forecast.season import Season

Array = NDArray[np.float64]

TOP_DOWN, BOTTOM_UP, COMBINED = "top_down", "bottom_up", "combined"
PRIOR_DATES = 4  # ended dates without an error that the correction of the promises starts from
WEIGHT_DATES = 6  # ended dates that every way's weight starts from, all missed by ...
WEIGHT_ERROR = 0.25  # ... as much (log)
SHARPNESS = 2  # power of the inverse variance that ways are weighed by: 1 as Bates and Granger 1969, 0 for equal ones
UNSEEN_LEVEL = 0.25  # standard deviation (log) of the level, as a season that was never seen moves it ...
UNSEEN_YEAR = 0.15  # ... and as a year differs from the one that was seen
UNSEEN_MONTHS = 6  # ended months that weigh as much as either
DRIFT = 0.25  # by how much of itself the variance of the level grows with each further month


class Forecast(NamedTuple):
    """One way's forecast of one group; `level` is the standard deviation of what moves all months together."""

    logs: Array
    level: float
    freedom: int  # degrees of freedom behind `level`


class _Missed(NamedTuple):
    """What every way said too little (log) of the ended months of an earlier group, season and corrections apart."""

    months: pd.DatetimeIndex
    by_way: Mapping[str, Array]
    drift: Array
    chance: Array


def forecasts(groups: Sequence[Group], names: Sequence[str] = ways.OWN) -> list[dict[str, Forecast]]:
    """Forecasts of every group by way, earliest group first; each learns from months that had ended by its date.

    `names` are the ways to continue the group's months, of ways.TOP_DOWN.
    """
    return [_forecasts(group, groups[:place], names) for place, group in enumerate(groups)]


def _forecasts(group: Group, earlier: Sequence[Group], names: Sequence[str]) -> dict[str, Forecast]:
    known = season.of_group(group, earlier)
    teaching = [each for each in earlier if each.teaches and each.ended(group.as_of).any()]
    ended = [_missed(each, group.as_of, known, names) for each in teaching]
    own = _without_season(group, known, names)
    correction = _correction(ended)
    own[BOTTOM_UP] = own[BOTTOM_UP] + correction
    corrected = [
        each._replace(by_way={**each.by_way, BOTTOM_UP: each.by_way[BOTTOM_UP] - correction}) for each in ended
    ]
    coming = season.of_months(known, group.ahead)
    unseen = UNSEEN_YEAR if group.known_months >= season.YEAR else UNSEEN_LEVEL
    return {
        name: Forecast(_mean(own, weights) + coming, *_level(corrected, weights, unseen))
        for name, weights in _mixtures(list(own), corrected).items()
    }


def _without_season(group: Group, known: Season, names: Sequence[str]) -> dict[str, Array]:
    """Every single way's forecast of a group's months ahead, before any correction."""
    if not group.known_months:
        return {BOTTOM_UP: group.promised_logs}
    past = group.past_logs - season.of_months(known, group.months)
    single = {name: ways.TOP_DOWN[name](past, len(group.ahead)) for name in names}
    return {**single, BOTTOM_UP: group.promised_logs}


def _missed(earlier: Group, as_of: pd.Timestamp, known: Season, names: Sequence[str]) -> _Missed:
    over = earlier.ended(as_of)
    actual = earlier.actual_logs[over] - season.of_months(known, earlier.ahead[over])
    by_way = {name: actual - logs[over] for name, logs in _without_season(earlier, known, names).items()}
    return _Missed(earlier.ahead[over], by_way, _drift(len(over))[over], _chance(earlier, earlier.days)[over])


def _correction(ended: Sequence[_Missed]) -> float:
    """Mean error (log) of earlier promises, shrunk by PRIOR_DATES without any."""
    return float(np.sum([each.by_way[BOTTOM_UP].mean() for each in ended]) / (len(ended) + PRIOR_DATES))


def _mixtures(single: Sequence[str], ended: Sequence[_Missed]) -> dict[str, dict[str, float]]:
    """Weights of the single ways in each single way, in the side of the months, and in all."""
    alone = {name: {name: 1.0} for name in single}
    top_down = [name for name in single if name != BOTTOM_UP]
    if not top_down:
        return {**alone, COMBINED: {BOTTOM_UP: 1.0}}
    by_record = _weights(single, ended)
    # Beforehand the members weigh as much as all continuations of the same months together, which are much alike.
    sides = {name: weight * (len(top_down) if name == BOTTOM_UP else 1) for name, weight in by_record.items()}
    return {
        **alone,
        TOP_DOWN: _normed({name: by_record[name] for name in top_down}),
        COMBINED: _normed(sides),
    }


def _weights(single: Sequence[str], ended: Sequence[_Missed]) -> dict[str, float]:
    """By the squared error of each way at ended dates, to the power of SHARPNESS."""
    squares = {name: sum(each.by_way[name].mean() ** 2 for each in ended) for name in single}
    start = WEIGHT_DATES * WEIGHT_ERROR**2
    return {name: ((start + each) / (WEIGHT_DATES + len(ended))) ** -SHARPNESS for name, each in squares.items()}


def _normed(weights: Mapping[str, float]) -> dict[str, float]:
    shares = round_off(np.array(list(weights.values())) / sum(weights.values()), FITTED_DIGITS).tolist()
    return dict(zip(weights, shares, strict=True))


def _mean(by_way: Mapping[str, Array], weights: Mapping[str, float]) -> Array:
    """Weighted mean of logarithms, which is the geometric one of rates."""
    return np.asarray(sum(weight * by_way[name] for name, weight in weights.items()) / sum(weights.values()))


def _level(ended: Sequence[_Missed], weights: Mapping[str, float], unseen: float) -> tuple[float, int]:
    """Standard deviation of the level and its degrees of freedom: errors beyond the members' chance, and the unseen."""
    variances = [(_mean(each.by_way, weights) ** 2 - each.chance**2) / each.drift**2 for each in ended]
    variance = max(float(np.mean(np.concatenate(variances))), 0.0) if variances else 0.0
    months = len({month for each in ended for month in each.months})
    freedom = months + UNSEEN_MONTHS
    return float(np.sqrt((months * variance + UNSEEN_MONTHS * unseen**2) / freedom)), freedom


def half_widths(forecast: Forecast, group: Group) -> Array:
    """Half-width (log) of each month's interval."""
    deviation = np.hypot(forecast.level * _drift(len(forecast.logs)), _chance(group, group.days))
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
    level = forecast.level * (shares * _drift(len(shares))).sum()
    chance = np.sqrt(((shares * _chance(group, days)) ** 2).sum())
    return np.array([level, chance]) * stdtrit(forecast.freedom, UPPER_TAIL)


def naive(group: Group) -> Array:
    """Logarithms of the naive forecast: as much as in the last quarter, whatever the season."""
    return ways.recent(group.past_logs, len(group.ahead))


def _drift(months: int) -> Array:
    """Standard deviation of the level in each month ahead, relative to the first."""
    return np.sqrt(1 + DRIFT * np.arange(months))


def _chance(group: Group, days: Array) -> Array:
    """Standard deviation (log) by chance of so many days of each month; the fewer days, the larger."""
    return np.asarray(group.chance * np.sqrt(MONTH_DAYS / np.maximum(days, 1)))
