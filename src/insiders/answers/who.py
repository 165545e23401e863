"""Who are the Insiders: the list, the first of it by name, each with what they stand out by."""

import math

import pandas as pd

from insiders.answers.inputs import Inputs
from insiders.explore import insights, profiles
from insiders.explore.insights import InsightNumbers
from insiders.report.numbers import InsiderRow, ListedInsider, WhoNumbers, Yardstick
from insiders.units import round_off

LISTED_MAX = 10  # customers named on the page; insiders.csv names all
# What a customer may stand out by among the Insiders, and whether more of it is better.
YARDSTICKS = {
    "net_revenue": True,
    "order_count": True,
    "recency_days": False,
    "average_order_value": True,
    "distinct_product_count": True,
}


def numbers(inputs: Inputs) -> WhoNumbers:
    members = inputs.members
    insiders = members[members["is_insider"]]
    countries = insiders["country"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    typical = insiders[list(YARDSTICKS)].median()
    return {
        **profiles.size(members),
        "as_of": f"{members['as_of'].iloc[0]:%Y-%m-%d}",
        "segments": sorted(insiders["segment"].unique()),
        "country": None if countries.empty else countries.index[0],
        "insights": _insights(inputs),
        "country_share": None if countries.empty else countries.iloc[0] / len(insiders),
        "typical": typical.to_dict(),
        "first": _first(inputs.insiders, insiders.set_index("customer_id"), typical),
    }


def _insights(inputs: Inputs) -> list[InsightNumbers]:
    """The strongest; what followed a list counts only where one is defended."""
    registered, past = inputs.registered, inputs.past
    validation = None if registered["regime"] == "none" else registered["validation"]
    return insights.strongest(
        insights.Evidence(inputs.members, past["cohorts"], past["flow"], past["revenue_tree"], validation)
    )


def _first(listed: pd.DataFrame, customers: pd.DataFrame, typical: "pd.Series[float]") -> list[ListedInsider]:
    rows: list[InsiderRow] = listed.head(LISTED_MAX).to_dict("records")
    return [{**row, "because": because(customers.loc[row["customer_id"]], typical)} for row in rows]


def because(customer: "pd.Series[float]", typical: "pd.Series[float]") -> Yardstick:
    """The yardstick in which a customer is furthest ahead of the median Insider, as a ratio."""
    best = max(YARDSTICKS, key=lambda column: _lead(customer[column], typical[column], YARDSTICKS[column]))
    return {"trait": best, "value": customer[best], "typical": typical[best]}


def _lead(own: float, typical: float, more_is_better: bool) -> float:
    ahead = math.log1p(max(own, 0.0)) - math.log1p(max(typical, 0.0))
    return float(round_off(ahead if more_is_better else -ahead))
