"""What a member stands out by among the members."""

import math
from typing import TypedDict

import pandas as pd

from insiders.units import round_off

# What a customer may stand out by, and whether more of it is better.
YARDSTICKS = {
    "net_revenue": True,
    "order_count": True,
    "recency_days": False,
    "average_order_value": True,
    "distinct_product_count": True,
}


class Yardstick(TypedDict):
    """The figure in which a customer is furthest ahead of the median member (`typical`)."""

    trait: str
    value: float
    typical: float


def because(customer: "pd.Series[float]", typical: "pd.Series[float]") -> Yardstick:
    """The yardstick in which a customer is furthest ahead of the median member, as a ratio."""
    best = max(YARDSTICKS, key=lambda column: _lead(customer[column], typical[column], YARDSTICKS[column]))
    return {"trait": best, "value": customer[best], "typical": typical[best]}


def _lead(own: float, typical: float, more_is_better: bool) -> float:
    ahead = math.log1p(max(own, 0.0)) - math.log1p(max(typical, 0.0))
    return float(round_off(ahead if more_is_better else -ahead))
