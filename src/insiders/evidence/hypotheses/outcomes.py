"""What each customer did in a stretch of days: a lazy table over the orders, evaluated by the engine."""

from datetime import date
from typing import Any

from ibis import _

from insiders.units import MONTH_DAYS

Table = Any  # Ibis has no types that mypy could follow

SUMMED = ("orders", "items", "gross_revenue", "returned_revenue", "net_revenue", "active_months")


def months(days: int) -> int:
    """How many equal months of about 30 days a stretch is cut into."""
    return max(1, round(days / MONTH_DAYS))


def outcomes(orders: Table, start: date, days: int) -> Table:
    """One row per customer with an order or a return in the `days` from `start` on: customer_id and SUMMED.

    `items` are the pieces sold less those that came back; `active_months` are the months with at least one sale.
    """
    age = orders.ordered_at.date().delta(start, unit="day").cast("int64")
    within = orders.mutate(month=(age * months(days)) // days).filter((age >= 0) & (age < days))
    summed = within.group_by("customer_id").aggregate(
        orders=_.is_sale.cast("int64").sum(),
        items=(_.item_count - _.returned_item_count).sum(),
        gross_revenue=_.gross_revenue.sum(),
        returned_revenue=_.returned_revenue.sum(),
        net_revenue=_.net_revenue.sum(),
        active_months=_.month.nunique(where=_.is_sale),
    )
    return summed.select("customer_id", **{name: summed[name].cast("float64") for name in SUMMED})
