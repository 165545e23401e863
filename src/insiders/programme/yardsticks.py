"""What a member stands out by among the members."""

from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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


def leading(customers: "pd.DataFrame | pd.Series[float]", typical: "pd.Series[float]") -> NDArray[np.intp]:
    """In which of the YARDSTICKS (by its place among them) each customer is furthest ahead, as `because` has it."""
    leads = [_lead(np.asarray(customers[name], float), typical[name], more) for name, more in YARDSTICKS.items()]
    return np.argmax(np.nan_to_num(leads, nan=-np.inf), axis=0)


def because(customer: "pd.Series[float]", typical: "pd.Series[float]") -> Yardstick:
    """The yardstick in which a customer is furthest ahead of the median member, as a ratio; of equals the first."""
    best = list(YARDSTICKS)[int(leading(customer, typical))]
    return {"trait": best, "value": customer[best], "typical": typical[best]}


def _lead(own: NDArray[np.float64], typical: float, more_is_better: bool) -> NDArray[np.float64]:
    ahead = np.log1p(np.maximum(own, 0.0)) - np.log1p(max(typical, 0.0))
    return round_off(ahead if more_is_better else -ahead)
