"""Products that a segment buys more than the other customers do: a larger part of all that its customers bought.

Parts, and not customers, are compared, since those who buy more of everything would else be the buyers of everything.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pandas as pd

from insiders.units import round_off

if TYPE_CHECKING:
    from ibis import Table

BUYERS_LEAST = 10  # customers of the segment who bought it, at least ...
SUPPORT_LEAST = 0.05  # ... and share of the segment
ERRORS = 3  # standard errors by which a lift is above 1: among thousands of products a few look typical by chance
TYPICAL = 3  # products told of each segment
OF_INSIDERS = 10  # and of all Insiders together
SIDES = ("insiders", "others")


class TypicalProduct(TypedDict):
    """A product that customers of a segment buy more than others do: `lift` is the ratio of the two parts."""

    product_code: str
    buyers: int
    lift: float
    description: str


def buyers(lines: "Table", assignments: "Table", as_of: date) -> "Table":
    """One row per segment and product: how many of its customers bought it before `as_of`. Services are no lines."""
    sold = lines.filter((lines.kind == "sale") & (lines.ordered_at < as_of))
    known = sold.select("customer_id", "product_code").distinct()
    placed = known.inner_join(assignments.select("customer_id", "segment"), "customer_id")
    counted = placed.group_by("segment", "product_code").aggregate(buyers=placed.customer_id.count())
    return counted.order_by("segment", "product_code")


def by_side(assignments: "Table") -> "Table":
    """The assignments with two segments only, those of SIDES."""
    return assignments.mutate(segment=assignments.is_insider.ifelse(*SIDES))


def typical(bought: pd.DataFrame, sizes: "pd.Series[int]", most: int = TYPICAL) -> pd.DataFrame:
    """At most `most` products of each segment, the surest lift first: segment, product_code, buyers, lift.

    `bought` is what `buyers` counts, `sizes` the customers of each segment. `lift` is the product's part of all that
    the segment bought by its part of what the others bought; what no other bought counts as bought by one.
    """
    by_segment, by_product = (bought.groupby(key)["buyers"].transform("sum") for key in ("segment", "product_code"))
    elsewhere, rest = (by_product - bought["buyers"]).clip(lower=1), bought["buyers"].sum() - by_segment
    lift = bought["buyers"] / by_segment / (elsewhere / rest.clip(lower=1))
    sure = round_off(lift * np.exp(-ERRORS * np.sqrt(1 / bought["buyers"] + 1 / elsewhere)))  # of a ratio of two counts
    least = (bought["segment"].map(sizes) * SUPPORT_LEAST).clip(lower=BUYERS_LEAST)
    found = bought.assign(lift=lift, sure=sure)[(bought["buyers"] >= least) & (sure > 1) & (rest > 0)]
    order = ["segment", "sure", "buyers", "product_code"]
    best = found.sort_values(order, ascending=[True, False, False, True]).groupby("segment").head(most)
    return best.drop(columns="sure").reset_index(drop=True)


def texts(transactions: "Table", codes: Sequence[str]) -> "Table":
    """How often each text stands beside each of these product codes."""
    named = transactions.filter(transactions.product_code.isin(list(codes)))
    trimmed = named.mutate(description=named.description.strip())
    stated = trimmed.filter(trimmed.description != "")  # a missing text is no text either
    counted = stated.group_by("product_code", "description").aggregate(times=stated.product_code.count())
    return counted.order_by("product_code", "description")


def describe(products: pd.DataFrame, texts: pd.DataFrame) -> pd.DataFrame:
    """Add the text that stands most often beside a product's code (of several the first by alphabet); else the code."""
    often = texts.sort_values(["times", "description"], ascending=[False, True]).drop_duplicates("product_code")
    description = products["product_code"].map(often.set_index("product_code")["description"])
    named = description.astype("object").fillna(products["product_code"]).astype("str")  # of no text at all, no type
    return products.assign(description=named)
