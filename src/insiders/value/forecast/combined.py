"""What each way told of each group, both families combined, and how wide the interval has to be.

Everything is told in logarithms of net revenue per day: misses are shares, and the same share up or down is as likely.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from insiders.units import MONTH_DAYS
from insiders.value.forecast import ways
from insiders.value.forecast.groups import Group
from insiders.value.forecast.misses import TAIL

Array = NDArray[np.float64]

TOP_DOWN, BOTTOM_UP, COMBINED = "top_down", "bottom_up", "combined"
FLOOR = 0.01  # of what the members promise: a month below it, or below 0 by refunds, counts as this
TINY = 1e-9
TAUGHT_FROM = 3  # full months that a group must have known for its misses to teach anything
NO_MISS = 2  # ended months without a miss that every correction of the level starts from
UNSEEN_LEVEL = 0.25  # standard deviation (log) of the level, as a season that was never seen moves it ...
UNSEEN_MONTHS = 6  # ... and the ended months that weigh as much as this
DRIFT = 0.25  # by how much of itself the variance of the level grows with each further month


class Told(NamedTuple):
    """One way's forecast of one group; `level` is the standard deviation of what moves all months together."""

    logs: Array
    level: float
    freedom: int  # degrees of freedom behind `level`


def tell(groups: Sequence[Group]) -> list[dict[str, Told]]:
    """Every way's forecast of every group, earliest first; each learns from months that had ended by its date only."""
    logs = [_ways(group, groups[:place]) for place, group in enumerate(groups)]
    return [
        {name: Told(each, *_level(name, groups[: place + 1], logs)) for name, each in logs[place].items()}
        for place in range(len(groups))
    ]


def half_widths(told: Told, group: Group) -> Array:
    """Of each month's interval."""
    spread = np.hypot(told.level * _drift(told.logs), _chance(group, group.days))
    return np.asarray(spread * stdtrit(told.freedom, TAIL))


def half_width(told: Told, group: Group, days: Array) -> float:
    """Of the sum over that many days of each month."""
    return float(np.hypot(*_parts(told, group, days)))


def errors(told: Told, group: Group, days: Array) -> dict[str, float]:
    """The two half-widths of that sum, as shares of it: what chance, and what the level of all months can add."""
    level, chance = np.expm1(_parts(told, group, days))
    return {"chance_error": float(chance), "level_error": float(level)}


def _parts(told: Told, group: Group, days: Array) -> Array:
    """Half-widths by the level, which moves all months together, and by chance, which moves each for itself."""
    parts = np.exp(told.logs) * days
    parts = parts / parts.sum()
    level = told.level * (parts * _drift(told.logs)).sum()
    chance = np.sqrt(((parts * _chance(group, days)) ** 2).sum())
    return np.array([level, chance]) * stdtrit(told.freedom, TAIL)


def ended(earlier: Group, as_of: pd.Timestamp) -> NDArray[np.bool_]:
    """Which of the months that the earlier group looked at were over by the date."""
    return np.asarray(earlier.ahead + pd.offsets.MonthBegin(1) <= as_of) & ~np.isnan(earlier.came)


def naive(group: Group, kind: str) -> Array:
    """What somebody would say who repeats the group's last month, the same of a year before, or the last quarter."""
    return ways.NAIVE[kind](months(group), len(group.ahead))


def months(group: Group) -> Array:
    return np.log(np.maximum(group.rates, _floor(group)))


def came(group: Group) -> Array:
    return np.log(np.maximum(group.came, _floor(group)))


def _ways(group: Group, earlier: Sequence[Group]) -> dict[str, Array]:
    ahead = len(group.ahead)
    past, coming = ways.season(group.shop, ahead)
    bottom_up = np.log(np.maximum(group.bottom_up, TINY)) + _correction(group, earlier, past) + coming
    if not group.known:
        return {BOTTOM_UP: bottom_up, COMBINED: bottom_up}
    family = {name: way(months(group) - past, ahead) + coming for name, way in ways.TOP_DOWN.items()}
    top_down = np.mean(list(family.values()), axis=0)
    combined = np.mean([*family.values(), bottom_up], axis=0)
    return {**family, TOP_DOWN: top_down, BOTTOM_UP: bottom_up, COMBINED: combined}


def _correction(group: Group, earlier: Sequence[Group], past: Array) -> float:
    """Mean miss (log) of earlier groups' promises for the month after them, beside NO_MISS months without any."""
    season = dict(zip(group.months, past, strict=True))
    misses = [
        came(each)[0] - season[each.ahead[0]] - np.log(max(each.bottom_up[0], TINY))
        for each in earlier
        if each.known >= TAUGHT_FROM and ended(each, group.as_of)[0]
    ]
    return float(np.sum(misses) / (len(misses) + NO_MISS))


def _level(name: str, groups: Sequence[Group], logs: Sequence[dict[str, Array]]) -> tuple[float, int]:
    """Of the last of the groups: what earlier misses say beyond the members' chance, beside what was never seen."""
    *earlier, group = groups
    variances: list[float] = []
    over: set[pd.Timestamp] = set()
    for each, told in zip(earlier, logs, strict=False):
        if each.known >= TAUGHT_FROM and name in told:
            then = ended(each, group.as_of)
            over.update(each.ahead[then])
            beyond = (came(each) - told[name]) ** 2 - _chance(each, each.days) ** 2
            variances.extend((beyond / _drift(told[name]) ** 2)[then])
    seen = max(float(np.mean(variances)), 0.0) if variances else 0.0
    freedom = len(over) + UNSEEN_MONTHS
    return float(np.sqrt((len(over) * seen + UNSEEN_MONTHS * UNSEEN_LEVEL**2) / freedom)), freedom


def _drift(logs: Array) -> Array:
    """The level's deviation in each month ahead, in that of the first."""
    return np.sqrt(1 + DRIFT * np.arange(len(logs)))


def _chance(group: Group, days: Array) -> Array:
    """By how much chance moves so many days of each month; the fewer, the more."""
    return np.asarray(group.chance * np.sqrt(MONTH_DAYS / np.maximum(days, 1)))


def _floor(group: Group) -> float:
    return max(FLOOR * float(group.bottom_up[0]), TINY)
