"""The season of a shop: how far each month of the year lies from the year's level, and how much of it to believe.

One year cannot tell a season from a cohort that grows old, nor from chance. So the season of the whole shop counts
only as far as the group followed it: where the members' own promises, which know how customers age but no season, were
missed in those months as the season says. A shop without newcomers is a cohort, of which nothing of it is believed.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.value.forecast.groups import Group

Array = NDArray[np.float64]

YEAR = 12
TREND_MONTHS = 1  # months without growth that the growth from year to year starts from
FOLLOWED = 0.7  # of the shop's season that a group is taken to follow beforehand ...
PRIOR = 0.3  # ... with this sum of squared deviations (log) behind it: the shop's own in a year with a marked season
LEAST = 0.3  # a season that is followed less is not told from none
NEWCOMERS = 0.05  # of the last quarter's revenue: a shop with less is a cohort
OVERLAP = 3  # months ahead, and dates that look at the same month: squares that count this often each are one

Season = Mapping[pd.Timestamp, float]  # first day of a month -> deviation (log) from the year's level


def of_group(group: Group, earlier: Sequence[Group]) -> Season:
    """What the group is taken to follow of the shop's season, in the months known and ahead; 0 before a year."""
    index = _of_shop(group.shop, len(group.ahead))
    months = group.months.append(group.ahead)
    followed = _followed(group, earlier, dict(zip(months, index, strict=True)))
    return dict(zip(months, (followed * index).tolist(), strict=True))


def of_months(season: Season, months: pd.DatetimeIndex) -> Array:
    return np.array([season[month] for month in months], dtype=float)


def _of_shop(shop: Array, ahead: int) -> Array:
    """Deviation of each known month and of the months ahead, as the mean over whole years counted back from the end."""
    years = len(shop) // YEAR
    if not years or (shop <= 0).any():
        return np.zeros(len(shop) + ahead)
    logs = np.log(shop) - _growth(np.log(shop)) * np.arange(len(shop))
    by_year = logs[-years * YEAR :].reshape(years, YEAR)
    index = (by_year - by_year.mean(axis=1, keepdims=True)).mean(axis=0)
    return np.asarray(index[np.arange(-len(shop), ahead) % YEAR])


def _growth(logs: Array) -> float:
    """Of the logarithm in a month, from the months that were there a year before; none is known of a single year."""
    from_year_to_year = logs[YEAR:] - logs[:-YEAR]
    return float(from_year_to_year.sum() / (len(from_year_to_year) + TREND_MONTHS) / YEAR)


def _followed(group: Group, earlier: Sequence[Group], index: Season) -> float:
    """Slope of what earlier groups' promises missed on the season of those months, shrunk to FOLLOWED."""
    if group.newcomers < NEWCOMERS:
        return 0.0
    pairs = [_missed(each, group, index) for each in earlier]
    season, missed = (np.concatenate([*(pair[side] for pair in pairs), np.zeros(0)]) for side in (0, 1))
    weight = PRIOR + (season @ season) / OVERLAP**2
    slope = float((PRIOR * FOLLOWED + (season @ missed) / OVERLAP**2) / weight)
    return min(slope, 1.0) if slope >= LEAST else 0.0


def _missed(earlier: Group, group: Group, index: Season) -> tuple[Array, Array]:
    """Season of an earlier group's months ahead that have ended, and what its members' promises missed there (log)."""
    if not earlier.teaches:
        return np.zeros(0), np.zeros(0)
    ended = earlier.ended(group.as_of)
    return of_months(index, earlier.ahead[ended]), (earlier.actual_logs - earlier.promised_logs)[ended]
