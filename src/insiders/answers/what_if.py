"""A list of another size, or by conditions of one's own: how many, what they should bring, who joins and leaves."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.programme.size import Place

__all__ = ["CONDITIONS", "List", "Place", "by_conditions", "of_size", "profits"]

Bound = Literal["least", "most"]
CONDITIONS: Mapping[str, Bound] = {"net_revenue": "least", "order_count": "least", "recency_days": "most"}


class List(NamedTuple):
    """A list as it might be; `profit` is what its places earn over the horizon beyond their cost, null without one."""

    ids: "pd.Index[str]"
    customers: int
    customer_share: float
    expected_revenue: float
    expected_share: float
    profit: float | None
    joining: pd.DataFrame  # rows of the customers who are no members today, best first
    leaving: pd.DataFrame  # ... and of the members who would be none


def of_size(customers: pd.DataFrame, size: int, place: Place) -> List:
    """The first so many customers by score."""
    return _list(customers, customers["place"] <= size, place)


def by_conditions(customers: pd.DataFrame, thresholds: Mapping[str, float], place: Place) -> List:
    """Whoever meets all thresholds: at least so much of a column of CONDITIONS, or at most."""
    met = np.ones(len(customers), bool)
    for column, threshold in thresholds.items():
        values = customers[column].to_numpy(float)
        met &= values >= threshold if CONDITIONS[column] == "least" else values <= threshold
    return _list(customers, pd.Series(met, customers.index), place)


def _list(customers: pd.DataFrame, chosen: "pd.Series[bool]", place: Place) -> List:
    ranked = customers.assign(chosen=chosen).sort_values("place", ignore_index=True)
    within = ranked[ranked["chosen"]]
    expected, everything = within["expected_revenue"].sum(), customers["expected_revenue"].sum()
    return List(
        pd.Index(within["customer_id"]),
        len(within),
        len(within) / len(customers) if len(customers) else 0.0,
        float(expected),
        float(expected / everything) if everything > 0 else 0.0,
        place.profit(expected, len(within)),
        within[~within["is_insider"]],
        ranked[ranked["is_insider"] & ~ranked["chosen"]],
    )


def profits(customers: pd.DataFrame, place: Place) -> NDArray[np.float64]:
    """Profit of the first 1, 2, ... customers by score; a place without a cost counts as free."""
    expected = customers.sort_values("place")["expected_revenue"].to_numpy(float).cumsum()
    return place.margin_share * place.uplift * expected - (place.cost or 0.0) * np.arange(1, len(expected) + 1)
