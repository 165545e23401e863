"""What the list and every segment are expected to bring: read here, summed by the engine, told by the domain."""

from typing import TYPE_CHECKING, Any

import pandas as pd
from threadpoolctl import threadpool_limits

from insiders.explore.cohorts import sums
from insiders.io import engine, paths, tables
from insiders.value import forecast

if TYPE_CHECKING:
    from datetime import date

Numbers = dict[str, Any]


def outlook(members: pd.DataFrame, insiders: pd.DataFrame, horizon_days: int) -> Numbers:
    """See forecast.outlook and forecast.segments; `members` is everybody as of one day, with segment and is_insider."""
    as_of = members["as_of"].iloc[0]
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        found = _groups(members, as_of, horizon_days)
        told = forecast.outlook(found, insiders, as_of, horizon_days)
    expectations = tables.read(paths.EXPECTATIONS).merge(members[["customer_id", "segment"]], on="customer_id")
    return {**told, "lifetime_value": forecast.segments(expectations, told["level_error"])}


def _groups(members: pd.DataFrame, as_of: pd.Timestamp, horizon_days: int) -> list[forecast.Group]:
    known = pd.concat([tables.read(paths.HISTORY), tables.read(paths.CUSTOMERS)]).drop_duplicates(
        ["customer_id", "as_of"]
    )
    then, now = tables.read(paths.MEMBERSHIPS), members.loc[members["is_insider"], ["customer_id", "as_of"]]
    past = forecast.past_members(then, known[known["as_of"] < as_of], len(now) / len(members))
    return forecast.groups(_monthly(as_of.date()), known, pd.concat([past, now]), horizon_days)


def _monthly(as_of: "date") -> pd.DataFrame:
    con = engine.connect()
    orders = engine.scan(con, paths.ORDERS)
    (first_day,) = engine.fetch_row(con, sums.first_day(orders))
    amounts = sums.monthly(orders, as_of).select("customer_id", "month", "net_revenue")
    summed = engine.fetch(con, amounts.order_by("customer_id", "month"))
    return forecast.monthly(summed, pd.Timestamp(first_day), pd.Timestamp(as_of))
