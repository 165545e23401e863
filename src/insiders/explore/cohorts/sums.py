"""Sums of the orders, as expressions for the engine: one row per month or cohort, however many customers there are.

A customer is active in a month with at least one sale. Returns lower the revenue of the month in which they came.
"""

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from insiders.explore.cohorts.history import PERIOD_MONTHS, Periods
from insiders.explore.cohorts.revenue_tree import Levels

if TYPE_CHECKING:
    from ibis import Table
    from ibis.expr.types import DateColumn, DecimalValue, IntegerColumn, NumericValue


class Sums(NamedTuple):
    """The results of the functions of these names; `levels` is None where the history is too short."""

    cells: pd.DataFrame
    comebacks: pd.DataFrame
    moves: pd.DataFrame
    levels: Levels | None


def first_day(orders: "Table") -> "Table":
    """One row: the day of the first order."""
    return orders.aggregate(first_day=orders.ordered_at.min().date())


def monthly(orders: "Table", as_of: date) -> "Table":
    """One row per customer and month before `as_of`, with the customer's cohort; without customers who never bought.

    The expressions below start from it.
    """
    earlier = orders.filter(orders.ordered_at < as_of)
    dated = earlier.mutate(month=earlier.ordered_at.truncate("M").cast("date"))
    summed = dated.group_by("customer_id", "month").aggregate(
        orders=dated.is_sale.cast("int64").sum(), net_revenue=_exact(dated.net_revenue.sum())
    )
    sold = summed.filter(summed.orders > 0)
    return summed.inner_join(sold.group_by("customer_id").aggregate(cohort=sold.month.min()), "customer_id")


def cells(monthly: "Table") -> "Table":
    """One row per cohort (month of the first sale) and month: active customers, orders, net revenue."""
    return monthly.group_by("cohort", "month").aggregate(**_sums(monthly)).order_by("cohort", "month")


def comebacks(monthly: "Table") -> "Table":
    """One row per cohort: its customers, and those who ordered again in the PERIOD_MONTHS after the first."""
    since = _number(monthly.month) - _number(monthly.cohort)
    again = (monthly.orders > 0) & (since >= 1) & (since <= PERIOD_MONTHS)
    each = monthly.group_by("cohort", "customer_id").aggregate(is_back=again.any())
    return each.group_by("cohort").aggregate(customers=each.count(), back=each.count(where=each.is_back))


def _number(month: "DateColumn") -> "IntegerColumn":
    """Months since the year 0."""
    return month.year() * 12 + month.month()


def moves(monthly: "Table", quiet_months: int) -> "Table":
    """One row per month and status: how many customers, with how many orders and what net revenue.

    `new`: the first order is in this month. `retained`: an order in this month and in the `quiet_months` before it.
    `returning`: an order in this month and none in those before, but an earlier one. `lapsed`: the last order was
    `quiet_months` ago; with the net revenue of that month. `without_order`: only returns.
    """
    import ibis

    numbered = monthly.mutate(number=_number(monthly.month))
    active = numbered.filter(numbered.orders > 0)
    in_order = ibis.window(group_by="customer_id", order_by="month")
    active = active.mutate(before=active.number.lag().over(in_order), after=active.number.lead().over(in_order))
    came = active.mutate(
        status=ibis.cases(
            (active.number == _number(active.cohort), "new"),
            (active.number - active.before <= quiet_months, "retained"),
            else_="returning",
        )
    )
    gone = active.filter((active.after - active.number > quiet_months).fill_null(True))
    parts = (
        came,
        gone.mutate(status=ibis.literal("lapsed"), number=gone.number + quiet_months),
        numbered.filter(numbered.orders == 0).mutate(status=ibis.literal("without_order")),
    )
    rows = ibis.union(*(part.select("number", "status", "orders", "net_revenue") for part in parts))
    return rows.group_by("number", "status").aggregate(**_sums(rows, everybody=True)).order_by("number", "status")


def _sums(table: "Table", *, everybody: bool = False) -> "dict[str, NumericValue]":
    return {
        "customers": table.count() if everybody else table.count(where=table.orders > 0),
        "orders": table.orders.sum(),
        "net_revenue": _exact(table.net_revenue.sum()),
    }


def levels(monthly: "Table", periods: Periods) -> "Table":
    """One row: customers, orders and net revenue of both periods, and the sum of squares of the customers' changes."""
    spans = {"earlier": periods.earlier, "later": periods.later}
    inside = {name: (monthly.month >= start) & (monthly.month < end) for name, (start, end) in spans.items()}
    each = monthly.group_by("customer_id").aggregate(
        **{f"{name}_orders": monthly.orders.sum(where=where).coalesce(0) for name, where in inside.items()},
        **{f"{name}_revenue": _exact(monthly.net_revenue.sum(where=where)) for name, where in inside.items()},
    )
    change = _exact(each.later_revenue - each.earlier_revenue)
    return each.aggregate(
        **{f"{name}_customers": each.count(where=each[f"{name}_orders"] > 0) for name in spans},
        **{f"{name}_{what}": each[f"{name}_{what}"].sum() for name in spans for what in ("orders", "revenue")},
        squared_changes=(change * change).sum(),
    )


def _exact(value: "NumericValue") -> "DecimalValue":
    """As a decimal: sums of decimals do not depend on the order of rows."""
    return value.coalesce(0).cast("decimal(18, 4)")
