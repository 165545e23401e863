"""Customers who buy for resale, told by the size of their orders alone."""

from math import fsum
from typing import Any

import pandas as pd

FENCES = 3.0  # interquartile ranges above the upper quartile: far out (Tukey, "Exploratory Data Analysis", 1977)
COLUMN = "items_per_order"
SHOWN = ("net_revenue", "order_count", "recency_days", "average_order_value", COLUMN)


def threshold(members: pd.DataFrame) -> float | None:
    """Pieces per order beyond which a customer counts as a wholesaler; null where orders hardly differ."""
    low, high = members[COLUMN].quantile([0.25, 0.75])
    return float(high + FENCES * (high - low)) if high > low else None


def told(members: pd.DataFrame) -> dict[str, Any]:
    """How many there are among the Insiders and the others, what they hold, and the medians with and without them."""
    limit = threshold(members)
    large = members[COLUMN] > (float("inf") if limit is None else limit)
    inside = members["is_insider"]
    groups = {"wholesalers": large & inside, "without": inside & ~large}
    return {
        "pieces_above": limit,
        "fences": FENCES,
        "count": int(large.sum()),
        "insiders": int((large & inside).sum()),
        "net_revenue_share": _share(members, large, large | True),
        "of_insiders_net_revenue": _share(members, large & inside, inside),
        "rows": [
            {"group": name, "customers": int(group.sum()), **members.loc[group, list(SHOWN)].median().to_dict()}
            for name, group in groups.items()
            if group.any()
        ],
    }


def _share(members: pd.DataFrame, part: "pd.Series[bool]", whole: "pd.Series[bool]") -> float | None:
    total = fsum(members.loc[whole, "net_revenue"])
    return fsum(members.loc[part, "net_revenue"]) / total if total > 0 else None
