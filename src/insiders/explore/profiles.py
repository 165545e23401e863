"""Customers in figures: how many, what part of the revenue, and the medians of what they do."""

from math import fsum
from typing import Any

import pandas as pd

TRAITS = (
    "net_revenue",
    "order_count",
    "orders_per_month",
    "recency_days",
    "tenure_days",
    "average_order_value",
    "items_per_order",
    "distinct_product_count",
    "returned_revenue_share",
)


def size(members: pd.DataFrame) -> dict[str, int]:
    return {"count": int(members["is_insider"].sum()), "customers": len(members)}


def part(members: pd.DataFrame, column: str) -> float | None:
    """The Insiders' share of a sum; null where nothing remains after returns."""
    total = fsum(members[column])
    return fsum(members.loc[members["is_insider"], column]) / total if total else None


def segments(members: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per segment, the highest net revenue per customer first: size, shares of revenue, medians of traits."""
    total = {column: fsum(members[column]) for column in ("gross_revenue", "net_revenue")}
    rows = [
        {
            "segment": name,
            "is_insider": bool(group["is_insider"].all()),
            "customers": len(group),
            "customer_share": len(group) / len(members),
            **{f"{column}_share": fsum(group[column]) / total[column] for column in total},
            "revenue_per_customer": fsum(group["net_revenue"]) / len(group),
            **group[list(TRAITS)].median().to_dict(),
        }
        for name, group in members.groupby("segment")
    ]
    return sorted(rows, key=lambda row: -row["revenue_per_customer"])


def overall(members: pd.DataFrame) -> dict[str, float]:
    """The medians of all customers, to compare segments with."""
    return {"customers": len(members), **members[list(TRAITS)].median().to_dict()}
