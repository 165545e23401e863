"""When the Insiders and the others order: by weekday and by hour of the day."""

from datetime import date
from typing import TYPE_CHECKING, Literal, Required, TypedDict

import pandas as pd

if TYPE_CHECKING:
    from ibis import Table

SIDES = {True: "insiders", False: "others"}
Unit = Literal["weekday", "hour"]


class OrderShares(TypedDict, total=False):
    """Shares of the orders of each side, in one weekday (0: Monday) or one hour, whichever was asked for."""

    weekday: int
    hour: int
    insiders: Required[float]
    others: Required[float]


def by_hour(orders: "Table", assignments: "Table", as_of: date) -> "Table":
    """Orders before `as_of` with a sale, one row per side (is_insider), weekday (0: Monday) and hour."""
    sold = orders.filter(orders.is_sale & (orders.ordered_at < as_of))
    known = sold.inner_join(assignments.select("customer_id", "is_insider"), "customer_id")
    at = known.mutate(weekday=known.ordered_at.day_of_week.index(), hour=known.ordered_at.hour())
    return at.group_by("is_insider", "weekday", "hour").aggregate(orders=at.count()).order_by("weekday", "hour")


def shares(counts: pd.DataFrame, column: Unit) -> list[OrderShares]:
    """Of each side's orders, the share in each weekday or hour in which anybody orders; nothing where all are in one.

    Of a file that knows days only, every order comes at midnight: then nothing is known of hours.
    """
    if len(set(counts[column])) <= 1:
        return []
    sums = counts.pivot_table(index=column, columns="is_insider", values="orders", aggfunc="sum", fill_value=0)
    sides = sums.reindex(columns=list(SIDES), fill_value=0).rename(columns=SIDES)
    parts = sides / sides.sum().clip(lower=1)
    rows: list[OrderShares] = parts.reset_index().astype({column: int}).to_dict("records")
    return rows


def busiest(rows: list[OrderShares], column: Unit) -> int | None:
    """Where most of the Insiders' orders lie."""
    return max(rows, key=lambda row: row["insiders"])[column] if rows else None
