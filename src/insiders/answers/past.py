"""What the orders tell of the past: read, summed by the engine, told by the domain."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from insiders.explore import cohorts
from insiders.explore.cohorts import sums
from insiders.io import engine, paths, tables
from insiders.tables import features

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from ibis.backends.duckdb import Backend


def past(con: "Backend", members: "pd.DataFrame", order: "Sequence[str]", quiet_months: int) -> cohorts.PastNumbers:
    """What cohorts.past tells, up to the members' as_of; `order` is that of the segments."""
    orders, as_of = engine.scan(con, paths.ORDERS), members["as_of"].iloc[0].date()
    (first_day,) = engine.fetch_row(con, sums.first_day(orders))
    history = cohorts.History(first_day, as_of)
    found = _sums(con, engine.materialize(con, sums.monthly(orders, as_of)), history, quiet_months)
    return cohorts.past(found, history, quiet_months, tables.read(paths.MEMBERSHIPS), order)


def with_next_revenue(con: "Backend", known: "pd.DataFrame", as_of: "date", horizon_days: int) -> "pd.DataFrame":
    """Add what customers as of earlier days brought next; null where the horizon had not ended by `as_of`."""
    ended = [day for day in known["as_of"].unique() if day.date() + timedelta(days=horizon_days) <= as_of]
    if not ended:
        return known.assign(next_revenue=float("nan"))
    revenue = features.next_revenue(engine.scan(con, paths.ORDERS), [day.date() for day in ended], horizon_days)
    joined = known.merge(engine.fetch(con, revenue), on=["customer_id", "as_of"], how="left")
    return joined.assign(next_revenue=joined["next_revenue"].fillna(0.0).where(joined["as_of"].isin(ended)))


def _sums(con: "Backend", monthly: Any, history: cohorts.History, quiet_months: int) -> cohorts.Sums:
    spans = cohorts.periods(history)
    return cohorts.Sums(
        cells=engine.fetch(con, sums.cells(monthly)),
        comebacks=engine.fetch(con, sums.comebacks(monthly)),
        moves=engine.fetch(con, sums.moves(monthly, quiet_months)),
        levels=engine.fetch_records(sums.levels(monthly, spans))[0] if spans else None,
    )
