"""Customers who buy for resale, told by the size of their orders alone."""

from math import fsum
from typing import TypedDict

import pandas as pd

FENCES = 3.0  # interquartile ranges above the upper quartile: far out (Tukey, "Exploratory Data Analysis", 1977)
COLUMN = "items_per_order"


class Shown(TypedDict):
    """The traits that are compared."""

    net_revenue: float
    order_count: float
    recency_days: float
    average_order_value: float
    items_per_order: float


SHOWN = tuple(Shown.__annotations__)


class GroupMedians(Shown):
    """Medians of the Insiders who are wholesalers (`wholesalers`), or of the others among them (`without`)."""

    group: str
    customers: int


class WholesalerNumbers(TypedDict):
    """Customers above a number of pieces per order: all, those among the Insiders, and the revenue that they hold."""

    pieces_above: float | None
    fences: float
    count: int
    insiders: int
    net_revenue_share: float | None
    of_insiders_net_revenue: float | None
    rows: list[GroupMedians]


def threshold(members: pd.DataFrame) -> float | None:
    """Pieces per order beyond which a customer counts as a wholesaler; null where orders hardly differ."""
    low, high = members[COLUMN].quantile([0.25, 0.75])
    return float(high + FENCES * (high - low)) if high > low else None


def flags(members: pd.DataFrame) -> "pd.Series[bool]":
    """Whether each customer is a wholesaler."""
    limit = threshold(members)
    return members[COLUMN] > (float("inf") if limit is None else limit)


def numbers(members: pd.DataFrame) -> WholesalerNumbers:
    """How many there are among the Insiders and the others, what they hold, and the medians with and without them."""
    large, inside = flags(members), members["is_insider"]
    groups = {"wholesalers": large & inside, "without": inside & ~large}
    return {
        "pieces_above": threshold(members),
        "fences": FENCES,
        "count": int(large.sum()),
        "insiders": int((large & inside).sum()),
        "net_revenue_share": _share(members, large, large | True),
        "of_insiders_net_revenue": _share(members, large & inside, inside),
        "rows": [_medians(name, members[group]) for name, group in groups.items() if group.any()],
    }


def _medians(name: str, customers: pd.DataFrame) -> GroupMedians:
    medians: Shown = customers[list(SHOWN)].median().to_dict()
    return {"group": name, "customers": len(customers), **medians}


def _share(members: pd.DataFrame, part: "pd.Series[bool]", whole: "pd.Series[bool]") -> float | None:
    total = fsum(members.loc[whole, "net_revenue"])
    return fsum(members.loc[part, "net_revenue"]) / total if total > 0 else None
