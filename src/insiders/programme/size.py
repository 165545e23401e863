"""How many places the programme has: as many as asked for, else as many as pay, else as the segments suggest."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from insiders.units import list_size

AUTO: Literal["auto"] = "auto"
STEP_MAX = 0.1  # by which an automatic size may differ from that of the last decision, as a share of it


class Place(NamedTuple):
    """What a place costs over the horizon, and how much more its holder is assumed to buy because of it."""

    cost: float | None  # None: not known
    margin_share: float  # of net revenue
    uplift: float  # of the expected revenue

    def paying(self, expected_revenue: NDArray[np.float64]) -> int | None:
        """How many customers are expected to earn their place; None where its cost is not known."""
        if self.cost is None:
            return None
        return int((self.margin_share * self.uplift * expected_revenue >= self.cost).sum())

    def profit(self, expected_revenue: float, count: int) -> float | None:
        """What so many places earn over the horizon beyond their cost; None where it is not known."""
        if self.cost is None:
            return None
        return float(self.margin_share * self.uplift * expected_revenue - self.cost * count)


class Limits(NamedTuple):
    """Shares of the customers within which an automatic size keeps; `last`: the share of the last decision."""

    least: float
    most: float
    last: float | None

    def hold(self, share: float) -> float:
        """The nearest share within the limits; a decided one, unless it was empty, moves by STEP_MAX at most."""
        kept = min(max(share, self.least), self.most)
        return kept if not self.last else min(max(kept, self.last * (1 - STEP_MAX)), self.last * (1 + STEP_MAX))


def fixed(asked: float, customers: int) -> float:
    """The share of the customers that a count (1 or more) or a share (below 1) asks for."""
    return min(asked / customers, 1.0) if asked >= 1 else asked


def places(share: float, customers: int) -> int:
    """Whole places; none where no place pays."""
    return list_size(share, customers) if share > 0 else 0
