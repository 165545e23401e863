"""The days that the orders cover, month by month, and the two periods that are compared."""

from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd

PERIOD_MONTHS = 3  # of a period of the revenue tree, and after a first order to come back in


class History(NamedTuple):
    """The days that the orders cover: from the first one on, up to the day before `as_of`."""

    first_day: date
    as_of: date

    @property
    def months(self) -> pd.DatetimeIndex:
        """First days of all its months, the partial ones included."""
        return pd.date_range(first_of_month(self.first_day), first_of_month(self.as_of - timedelta(days=1)), freq="MS")

    def is_partial(self, month: pd.Timestamp) -> bool:
        """Whether days of the month lie before the first order, or not before `as_of`."""
        ends = month + pd.offsets.MonthBegin(1)
        return bool(month < pd.Timestamp(self.first_day) or ends > pd.Timestamp(self.as_of))

    @property
    def whole_months(self) -> list[pd.Timestamp]:
        return [month for month in self.months if not self.is_partial(month)]


class Periods(NamedTuple):
    """Two runs of whole months; each is [first day, day after the last)."""

    earlier: tuple[date, date]
    later: tuple[date, date]
    is_year_apart: bool


def periods(history: History) -> Periods | None:
    """The last whole months (at most PERIOD_MONTHS), and as many before: of the year before where the history has them.

    None where the history has fewer than two whole months.
    """
    whole = history.whole_months
    count = min(PERIOD_MONTHS, len(whole) // 2)
    if not count:
        return None
    start, end = whole[-count], whole[-1] + pd.offsets.MonthBegin(1)
    year = pd.DateOffset(years=1)
    is_year_apart = bool(whole[0] <= start - year)
    back = year if is_year_apart else pd.DateOffset(months=count)
    earlier = ((start - back).date(), (end - back).date())
    return Periods(earlier, (start.date(), end.date()), is_year_apart)


def first_of_month(day: date) -> pd.Timestamp:
    return pd.Timestamp(day.year, day.month, 1)
