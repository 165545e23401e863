"""The revenue of the whole group in the coming months, with intervals that allow for how past forecasts erred.

From two independent sides:

bottom-up  the expected revenue of each member (value.lifetime), summed up; its level corrected by past errors
top-down   the group's own months: the mean of the last three, exponential smoothing, ARIMA(1,0,0), ARMA(1,1),
           and Prophet's trend where forecast.ways asks for it

All of them are combined (their weighted geometric mean). Beforehand the two sides weigh the same; the more a way
erred at earlier dates, the less it weighs (Bates and Granger, "The combination of forecasts", 1969). From a year on the
shop's season moves all of them, where the group followed it (`season`). Where all of this erred more than "as the last
quarter" does, that is the forecast. How it fares on real and simulated shops: benchmarks/forecast.py and
benchmarks/forecast_shops.py.

A group is chosen by its past revenue, so that its past is better than its future (regression to the mean): each
back-test chooses the group anew from what was known at its date, and a forecast is corrected and widened only by months
that had ended by its date.
"""

from insiders.value.forecast.accuracy import Outcome, chance_error, coverage, interval, level_error, mase
from insiders.value.forecast.groups import LOOKED_AT, Group, groups, monthly, past_members
from insiders.value.forecast.outlook import Outlook, SegmentOutlook, SpanOutcome, outlook, segments

__all__ = [
    "LOOKED_AT",
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
