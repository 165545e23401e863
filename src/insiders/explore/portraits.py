"""What to know of a segment beside its size: what sets it apart, what it buys, and how sure its labels are."""

from typing import TypedDict

import pandas as pd

from insiders.explore.products import TypicalProduct

APART = 3  # differences told of each segment
APART_LEAST = 0.1  # share of all customers between two medians, below which a difference is not told
UNSURE = 0.6  # confidence below which a customer stands near the border of another segment


class Difference(TypedDict):
    """A trait in which the segment's median lies far from all others'.

    `difference` is the share of all customers who lie between the two, negative where the segment's is the lower one:
    no unit, and no single customer however large, can change it.
    """

    trait: str
    segment_value: float
    others_value: float
    difference: float


class Sureness(TypedDict):
    """The median confidence of a segment's customers, and the share of those below UNSURE; null where none is known."""

    confidence: float | None
    unsure_share: float | None


class Portrait(Sureness):
    """`places`: the median customer's place among all customers in each trait, 0 the lowest and 1 the highest."""

    apart: list[Difference]
    places: dict[str, float]
    products: list[TypicalProduct]


def portraits(members: pd.DataFrame, products: pd.DataFrame, traits: tuple[str, ...]) -> dict[str, Portrait]:
    """By segment; `products` is what products.describe gives, `members` holds `segment`, `confidence`, the traits."""
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


def _apart(members: pd.DataFrame, places: pd.DataFrame, inside: "pd.Series[bool]") -> list[Difference]:
    """The largest differences between the segment's median and all others'."""
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


def _sure(confidence: "pd.Series[float]") -> Sureness:
    """Nothing is known of a baseline's list."""
    known = confidence.dropna()
    if known.empty:
        return {"confidence": None, "unsure_share": None}
    return {"confidence": known.median(), "unsure_share": float((known < UNSURE).mean())}
