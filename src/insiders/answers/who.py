"""Who are the Insiders: the list, the first of it by name, each with what they stand out by."""

import pandas as pd

from insiders.answers.inputs import Inputs
from insiders.explore import insights, profiles
from insiders.explore.insights import InsightNumbers
from insiders.programme.yardsticks import YARDSTICKS, because
from insiders.report.listed import InsiderRow, ListedInsider, MemberRow
from insiders.report.numbers import WhoNumbers

LISTED_MAX = 10  # customers shown at once; insiders.csv names all
MEMBERS_MAX = 1000  # in the list that can be searched


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
        "members": _listed(inputs.insiders.head(MEMBERS_MAX)),
        "first": _first(inputs.insiders, insiders.set_index("customer_id"), typical),
    }


def _insights(inputs: Inputs) -> list[InsightNumbers]:
    """The strongest; what followed a list counts only where one is defended."""
    registered, past = inputs.registered, inputs.past
    validation = None if registered["regime"] == "none" else registered["validation"]
    return insights.strongest(
        insights.Evidence(inputs.members, past["cohorts"], past["flow"], past["revenue_tree"], validation)
    )


def _listed(insiders: pd.DataFrame) -> list[MemberRow]:
    columns = list(MemberRow.__annotations__)
    country = insiders["country"].astype(object)
    rows: list[MemberRow] = insiders.assign(country=country.where(country.notna(), None))[columns].to_dict("records")
    return rows


def _first(listed: pd.DataFrame, customers: pd.DataFrame, typical: "pd.Series[float]") -> list[ListedInsider]:
    rows: list[InsiderRow] = listed.head(LISTED_MAX).to_dict("records")
    return [{**row, "because": because(customers.loc[row["customer_id"]], typical)} for row in rows]
