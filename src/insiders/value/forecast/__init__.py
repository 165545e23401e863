"""The revenue of the whole group in the coming months, with intervals that allow for how past forecasts erred.

From two independent sides:

bottom-up  the expected revenue of each member (value.lifetime), summed up; its level corrected by past errors
top-down   the group's own months: the last one, the mean of the last three, exponential smoothing, an autoregression

All five are combined with equal weights (their geometric mean), since a few months cannot tell which weights are better
(Smith and Wallis, "A simple explanation of the forecast combination puzzle", 2009). Simulated shops that grow, shrink
and have seasons agree (benchmarks/forecast_shops.py): the mean of both sides is a little better on average, the mean of
all five beats the last month more often.

A group is chosen by its past revenue, so that its past is better than its future (regression to the mean): each
back-test chooses the group anew from what was known at its date, and a forecast is corrected and widened only by months
that had ended by its date.
"""

from insiders.value.forecast.accuracy import Outcome, chance_error, coverage, interval, level_error, mase
from insiders.value.forecast.groups import Group, groups, monthly, past_members
from insiders.value.forecast.outlook import Outlook, SegmentOutlook, SpanOutcome, outlook, segments

__all__ = [
    "Group",
    "Outcome",
    "Outlook",
    "SegmentOutlook",
    "SpanOutcome",
    "chance_error",
    "coverage",
    "groups",
    "interval",
    "level_error",
    "mase",
    "monthly",
    "outlook",
    "past_members",
    "segments",
]
