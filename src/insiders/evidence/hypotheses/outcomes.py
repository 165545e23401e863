"""What each customer did in a period: a lazy table over the orders, evaluated by the engine."""

from datetime import date
from typing import TYPE_CHECKING

from ibis import _

from insiders.units import MONTH_DAYS

if TYPE_CHECKING:
    from ibis import Table

OUTCOMES = ("orders", "items", "gross_revenue", "returned_revenue", "net_revenue", "active_months")


def months(days: int) -> int:
    """Number of equal months of about 30 days that a period is cut into."""
    return max(1, round(days / MONTH_DAYS))


def outcomes(orders: "Table", start: date, days: int) -> "Table":
    """One row per customer with an order or a return in the `days` from `start` on: customer_id and OUTCOMES.

    `items` are the pieces sold less those that came back; `active_months` are the months with at least one sale.
    """
    age = orders.ordered_at.date().delta(start, unit="day").cast("int64")
    within = orders.mutate(month=(age * months(days)) // days).filter((age >= 0) & (age < days))
    sums = within.group_by("customer_id").aggregate(
        orders=_.is_sale.cast("int64").sum(),
        items=(_.item_count - _.returned_item_count).sum(),
        gross_revenue=_.gross_revenue.sum(),
        returned_revenue=_.returned_revenue.sum(),
        net_revenue=_.net_revenue.sum(),
        active_months=_.month.nunique(where=_.is_sale),
    )
    return sums.select("customer_id", **{name: sums[name].cast("float64") for name in OUTCOMES})
