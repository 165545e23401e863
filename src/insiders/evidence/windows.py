"""The windows from which the search looks at the past: the validation date, and rolling origins before it."""

from dataclasses import dataclass

import pandas as pd

from insiders.model.segment_model import in_order

VALIDATION = "validation"


@dataclass(frozen=True)
class Window:
    """Customers as of a cut-off, and the earlier snapshot from which a supervised embedding may learn."""

    customers: pd.DataFrame
    past: pd.DataFrame


def windows(snapshots: pd.DataFrame, horizon_days: int, features: tuple[str, ...]) -> dict[str, Window]:
    """Cut `snapshots` into the validation window and the rolling origins, latest first: `validation`, `1`, `2`, ...

    An origin is a cut-off whose next period ended by the validation cut-off; it needs the snapshot one period earlier
    to learn from, and where that is missing it is left out.
    """
    horizon = pd.Timedelta(days=horizon_days)
    by_day = {day: in_order(rows, [*features, "next_revenue"]) for day, rows in snapshots.groupby("as_of")}
    last = max(by_day)
    days = [day for day in sorted(by_day, reverse=True) if day - horizon in by_day and day <= last - horizon]
    named = {VALIDATION: last, **{str(place): day for place, day in enumerate(days, start=1)}}
    return {
        name: Window(by_day[day].reset_index(drop=True), by_day[day - horizon].reset_index(drop=True))
        for name, day in named.items()
    }
