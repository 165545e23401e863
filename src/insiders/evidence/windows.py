"""The windows from which the search looks at the past: the validation date, and rolling origins before it."""

from dataclasses import dataclass

import pandas as pd

from insiders.model.segment_model import in_order

VALIDATION = "validation"


@dataclass(frozen=True)
class Window:
    """Customers as of a cut-off, and the earlier snapshot from which a supervised embedding may learn.

    `past` is empty at the validation date of a shop that is too young to have one.
    """

    customers: pd.DataFrame
    past: pd.DataFrame

    @property
    def lessons(self) -> list[pd.DataFrame]:
        """The past snapshots of which it is known what followed: one, or none."""
        return [] if self.past.empty else [self.past]


def windows(snapshots: pd.DataFrame, horizon_days: int, features: tuple[str, ...]) -> dict[str, Window]:
    """Cut `snapshots` into the validation window and the rolling origins, latest first: `validation`, `1`, `2`, ...

    An origin is a cut-off whose next period ended by the validation cut-off; it needs a snapshot one period or more
    earlier to learn from. Neither counts where none of its customers brought anything in the period that followed.
    """
    horizon = pd.Timedelta(days=horizon_days)
    by_day = {
        day: in_order(rows, [*features, "next_revenue"]).reset_index(drop=True)
        for day, rows in snapshots.groupby("as_of")
    }
    last, telling = max(by_day), sorted(day for day, rows in by_day.items() if (rows["next_revenue"] > 0).any())
    before = {day: [each for each in telling if each <= day - horizon] for day in by_day}
    origins = [day for day in reversed(telling) if before[day] and day <= last - horizon]
    named = {VALIDATION: last, **{str(place): day for place, day in enumerate(origins, start=1)}}
    return {
        name: Window(by_day[day], by_day[before[day][-1]] if before[day] else by_day[day].iloc[:0])
        for name, day in named.items()
    }
