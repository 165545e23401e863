"""What to know of a segment beside its size: what sets it apart, what it buys, and how sure its labels are."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

APART = 3  # differences told of each segment
APART_LEAST = 0.1  # share of all customers between two medians, below which a difference is not told
UNSURE = 0.6  # confidence below which a customer stands near the border of another segment


def portraits(members: pd.DataFrame, products: pd.DataFrame, traits: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """By segment: `apart`, `places`, `products`, the median `confidence`, and the `unsure_share` of the customers.

    `places`: the median customer's place among all customers in each trait, 0 the lowest and 1 the highest. `products`
    is what products.named tells; `members` holds `segment`, `confidence` and the traits.
    """
    places = members[list(traits)].rank(pct=True)
    return {
        name: {
            "apart": _apart(members, places, members["segment"] == name),
            "places": places.loc[group.index].median().to_dict(),
            "products": products[products["segment"] == name].drop(columns="segment").to_dict("records"),
            **_sure(group["confidence"]),
        }
        for name, group in members.groupby("segment")
    }


def _apart(members: pd.DataFrame, places: pd.DataFrame, inside: "pd.Series[bool]") -> list[Mapping[str, Any]]:
    """The largest standardised differences between the segment's median and all others'.

    `difference` is the share of all customers who lie between the two, negative where the segment's is the lower one:
    no unit, and no single customer however large, can change it.
    """
    apart = places[inside].median() - places[~inside].median()
    largest = apart.abs().sort_values(ascending=False, kind="stable").head(APART)
    return [
        {
            "trait": trait,
            "segment_value": members.loc[inside, trait].median(),
            "others_value": members.loc[~inside, trait].median(),
            "difference": apart[trait],
        }
        for trait in largest.index[largest >= APART_LEAST]
    ]


def _sure(confidence: "pd.Series[float]") -> dict[str, float | None]:
    """Null where nothing is known, as of a baseline's list."""
    known = confidence.dropna()
    if known.empty:
        return {"confidence": None, "unsure_share": None}
    return {"confidence": known.median(), "unsure_share": float((known < UNSURE).mean())}
