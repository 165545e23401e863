"""Net revenue by calendar month, of the Insiders and of the others; months that the data cover in part are marked."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from ibis import Table


def by_month(orders: "Table", assignments: "Table", as_of: date) -> "Table":
    """One row per month and side (is_insider), exact, from orders before `as_of`; evaluated by the engine."""
    known = orders.filter(orders.ordered_at < as_of).inner_join(
        assignments.select("customer_id", "is_insider"), "customer_id"
    )
    month = known.mutate(month=known.ordered_at.truncate("M").cast("date"), day=known.ordered_at.cast("date"))
    grouped = month.group_by("month", "is_insider")
    summed = grouped.aggregate(net_revenue=month.net_revenue.sum().cast("decimal(18, 4)"), first_day=month.day.min())
    return summed.order_by("month", "is_insider")


def side_by_side(sums: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """One row per month: month (its first day), insiders, others, is_partial; months without an order are zero."""
    if sums.empty:
        return pd.DataFrame(columns=["month", "insiders", "others", "is_partial"])
    amounts = sums.assign(net_revenue=sums["net_revenue"].astype(float), month=pd.to_datetime(sums["month"]))
    wide = amounts.pivot_table(index="month", columns="is_insider", values="net_revenue", fill_value=0.0)
    first, last = pd.Timestamp(sums["first_day"].min()), pd.Timestamp(as_of - timedelta(days=1))
    whole = wide.reindex(index=pd.date_range(wide.index[0], last, freq="MS"), columns=[True, False])
    filled = whole.fillna(0.0).set_axis(["insiders", "others"], axis=1).rename_axis("month").reset_index()
    return filled.assign(is_partial=_is_partial(filled["month"], first, last))


def activity(orders: "Table", assignments: "Table", as_of: date) -> "Table":
    """One row per month and side with an order before `as_of`: both revenues, customers, orders, first day."""
    sides = assignments.select("customer_id", "is_insider")
    known = orders.filter(orders.ordered_at < as_of).inner_join(sides, "customer_id")
    dated = known.mutate(month=known.ordered_at.truncate("M").cast("date"), day=known.ordered_at.cast("date"))
    return dated.group_by("month", "is_insider").aggregate(
        gross_revenue=dated.gross_revenue.sum().cast("decimal(18, 4)"),
        net_revenue=dated.net_revenue.sum().cast("decimal(18, 4)"),
        customers=dated.customer_id.nunique(),
        orders=dated.is_sale.cast("int64").sum(),
        first_day=dated.day.min(),
    )


def every_month(sums: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The rows of `activity` with those of months without an order, which are zero, and `is_partial`."""
    figures = ["gross_revenue", "net_revenue", "customers", "orders"]
    first, last = pd.Timestamp(sums["first_day"].min()), pd.Timestamp(as_of - timedelta(days=1))
    dated = sums.assign(month=pd.to_datetime(sums["month"])).set_index(["month", "is_insider"])[figures]
    starts = pd.date_range(dated.index.get_level_values("month").min(), last, freq="MS")
    whole = pd.MultiIndex.from_product([starts, [True, False]], names=["month", "is_insider"])
    filled = dated.reindex(whole, fill_value=0).reset_index()
    return filled.assign(is_partial=_is_partial(filled["month"], first, last))


def _is_partial(starts: "pd.Series[pd.Timestamp]", first: pd.Timestamp, last: pd.Timestamp) -> "pd.Series[bool]":
    """Whether the data, from the first day to the last, leave out a part of the month."""
    return (starts < first) | (starts + pd.offsets.MonthEnd(0) > last)
