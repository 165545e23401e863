"""Customers in figures: how many, what part of the revenue, and the medians of what they do."""

from math import fsum
from typing import TypedDict

import pandas as pd

MAJORITY = 0.5  # a segment is the Insiders' where more than this share of it are


class Traits(TypedDict):
    """What customers do, as columns of schemas.CUSTOMERS name it."""

    net_revenue: float
    order_count: float
    orders_per_month: float
    recency_days: float
    tenure_days: float
    average_order_value: float
    items_per_order: float
    distinct_product_count: float
    returned_revenue_share: float


TRAITS = tuple(Traits.__annotations__)


class Size(TypedDict):
    """How many Insiders there are, of how many customers."""

    count: int
    customers: int


class SegmentProfile(Traits):
    """One segment: its size, its shares of all customers and of all revenue, and the medians of its traits."""

    segment: str
    is_insider: bool  # most of its customers are
    customers: int
    insiders: int
    customer_share: float
    gross_revenue_share: float
    net_revenue_share: float
    revenue_per_customer: float


def size(members: pd.DataFrame) -> Size:
    return {"count": int(members["is_insider"].sum()), "customers": len(members)}


def insider_share(members: pd.DataFrame, column: str) -> float | None:
    """The Insiders' share of a sum; null where nothing remains after returns."""
    total = fsum(members[column])
    return fsum(members.loc[members["is_insider"], column]) / total if total else None


def segments(members: pd.DataFrame) -> list[SegmentProfile]:
    """One row per segment, the highest net revenue per customer first."""
    gross, net = fsum(members["gross_revenue"]), fsum(members["net_revenue"])
    rows: list[SegmentProfile] = []
    for name, group in members.groupby("segment"):
        medians: Traits = group[list(TRAITS)].median().to_dict()
        rows.append(
            {
                "segment": name,
                "is_insider": bool(group["is_insider"].mean() > MAJORITY),
                "customers": len(group),
                "insiders": int(group["is_insider"].sum()),
                "customer_share": len(group) / len(members),
                "gross_revenue_share": fsum(group["gross_revenue"]) / gross,
                "net_revenue_share": fsum(group["net_revenue"]) / net,
                "revenue_per_customer": fsum(group["net_revenue"]) / len(group),
                **medians,
            }
        )
    return sorted(rows, key=lambda row: -row["revenue_per_customer"])
