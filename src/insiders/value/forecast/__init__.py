"""The revenue of the whole group in the coming months, with intervals that admit how past forecasts missed.

From two independent sides:

bottom-up  what value.py expects of each member, summed up; its level corrected by how it missed in ended months
top-down   the group's own months: the last one, the mean of the last three, exponential smoothing, an autoregression

All five are combined with equal weights (their geometric mean), since a few months cannot tell which weights are better
(Smith and Wallis, "A simple explanation of the forecast combination puzzle", 2009). Simulated shops that grow, shrink
and have seasons agree (benchmarks/forecast_shops.py): the mean of both sides is a little better on average, the mean of
all five beats the last month more often.

A group is chosen by its past revenue, so that its past is better than its future (regression to the mean): each
back-test chooses the group anew by what was known at its date, and only months that had ended by a date correct or
widen what is told at it.
"""

from insiders.value.forecast.groups import Group, groups, members, monthly
from insiders.value.forecast.misses import COVERAGE, chance_error, coverage, interval, level_error, mase
from insiders.value.forecast.outlook import outlook, segments

__all__ = [
    "COVERAGE",
    "Group",
    "chance_error",
    "coverage",
    "groups",
    "interval",
    "level_error",
    "mase",
    "members",
    "monthly",
    "outlook",
    "segments",
]
