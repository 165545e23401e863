"""What lists of each size would earn by the stated cost and effect of a place, and at which size that is most."""

from collections.abc import Sequence
from math import fsum
from typing import Literal, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from insiders.programme.actions import Action
from insiders.programme.size import Place

Source = Literal["place_cost", "actions"]


class Stated(NamedTuple):
    """A place, and the setting that its cost comes from: `programme.place_cost`, else `report.actions`."""

    place: Place
    source: Source


class ListSize(TypedDict):
    """A list by its size, with what it is expected to bring over the horizon."""

    count: int
    expected_revenue: float


class Peak(TypedDict):
    """The size that earns most; 0 where no customer is expected to earn a place."""

    count: int
    customer_share: float
    profit: float


class Payoff(TypedDict):
    """Profit over the horizon: the margin of what is bought because of a place, less its cost; null where none is."""

    cost: float | None
    source: Source
    margin_share: float
    uplift: float
    own: float | None
    peak: Peak | None
    sizes: list[float | None]  # of each list in the answer's table ...
    curve: list[float | None]  # ... and on its curve


def stated(place: Place, offers: Sequence[Action]) -> Stated:
    """Where the settings state no cost of a place, it is what the offers to every member cost for each."""
    if place.cost is not None:
        return Stated(place, "place_cost")
    costs = [each.cost.per_customer for each in offers if each.for_insiders and not each.conditions]
    return Stated(place._replace(cost=fsum(costs) if costs else None), "actions")


def earned(place: Place, lists: Sequence[ListSize]) -> list[float | None]:
    return [place.profit(each["expected_revenue"], each["count"]) for each in lists]


def peak(place: Place, expected_revenue: NDArray[np.float64]) -> Peak | None:
    """By what each customer is expected to bring; None where no cost is stated."""
    count = place.paying(expected_revenue)
    profit = None if count is None else place.profit(fsum(np.sort(expected_revenue)[::-1][:count]), count)
    if count is None or profit is None:
        return None
    return {"count": count, "customer_share": count / len(expected_revenue), "profit": profit}
