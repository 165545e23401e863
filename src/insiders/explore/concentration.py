"""How unequally revenue is spread over the customers."""

from math import fsum
from typing import TypedDict

import numpy as np
import pandas as pd

POINTS = 100  # of the Lorenz curve


class LorenzPoint(TypedDict):
    """The share of the revenue that this share of the customers, the best ones, holds."""

    customers: float
    held: float


def gini(revenue: pd.Series) -> float | None:
    """0 where all bring the same, near 1 where one brings all; who brings less than nothing counts as nothing.

    Null where nobody brings anything. Gini, "Variabilità e mutabilità", 1912, in the form of sorted values.
    """
    values = np.sort(revenue.clip(lower=0).to_numpy(float))
    total = fsum(values)
    if total <= 0:
        return None
    places = np.arange(1, len(values) + 1)
    return fsum((2 * places - len(values) - 1) * values) / (len(values) * total)


def lorenz(revenue: pd.Series) -> list[LorenzPoint]:
    """Share of the revenue that the best share of the customers holds, from none to all; empty without revenue."""
    ranked = np.sort(revenue.to_numpy(float))[::-1]
    total = fsum(ranked)
    if total <= 0:
        return []
    ends = np.unique(np.linspace(0, len(ranked), POINTS + 1).round().astype(int))
    return [{"customers": end / len(ranked), "held": fsum(ranked[:end]) / total} for end in ends]
