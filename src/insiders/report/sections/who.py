"""Who are the Insiders: the list, the first of it by name."""

from insiders.report.inputs import Inputs, Numbers
from insiders.report.profiles import size

LISTED = 10  # people named on the page; insiders.csv names all


def numbers(inputs: Inputs) -> Numbers:
    members = inputs.tables.members
    chosen = members[members["is_insider"]]
    countries = chosen["country"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return {
        **size(members),
        "as_of": f"{members['as_of'].iloc[0]:%Y-%m-%d}",
        "segments": sorted(chosen["segment"].unique()),
        "country": None if countries.empty else countries.index[0],
        "insights": inputs.findings.insights,
        "country_share": None if countries.empty else countries.iloc[0] / len(chosen),
        "first": inputs.tables.insiders.head(LISTED).to_dict("records"),
    }
