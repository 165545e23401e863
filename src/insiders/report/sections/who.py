"""Who are the Insiders: the list, the first of it by name, each with what they stand out by."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from insiders.explore.profiles import size
from insiders.report.inputs import Inputs, Numbers

LISTED = 10  # people named on the page; insiders.csv names all
# What a customer may stand out by among the Insiders, and whether more of it is better.
YARDSTICKS = {
    "net_revenue": True,
    "order_count": True,
    "recency_days": False,
    "average_order_value": True,
    "distinct_product_count": True,
}


def numbers(inputs: Inputs) -> Numbers:
    members = inputs.tables.members
    chosen = members[members["is_insider"]]
    countries = chosen["country"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    typical = chosen[list(YARDSTICKS)].median()
    own = chosen.set_index("customer_id")
    return {
        **size(members),
        "as_of": f"{members['as_of'].iloc[0]:%Y-%m-%d}",
        "segments": sorted(chosen["segment"].unique()),
        "country": None if countries.empty else countries.index[0],
        "insights": inputs.findings.insights,
        "country_share": None if countries.empty else countries.iloc[0] / len(chosen),
        "typical": typical.to_dict(),
        "first": [
            {**row, "because": because(own.loc[row["customer_id"]], typical)}
            for row in inputs.tables.insiders.head(LISTED).to_dict("records")
        ],
    }


def because(customer: Mapping[str, Any], typical: "pd.Series[float]") -> Numbers:
    """The yardstick in which a customer is furthest ahead of the median Insider, as a ratio."""
    best = max(YARDSTICKS, key=lambda column: _lead(customer[column], typical[column], YARDSTICKS[column]))
    return {"trait": best, "value": customer[best], "typical": typical[best]}


def _lead(own: float, typical: float, more_is_better: bool) -> float:
    ahead = math.log1p(max(own, 0.0)) - math.log1p(max(typical, 0.0))
    return ahead if more_is_better else -ahead
