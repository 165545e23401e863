"""Plain groups of customers, which any segmentation has to beat: RFM's cells and named groups, quantiles of a score.

Each is made among the customers of one date alone, so that its groups mean the same at every date. Customers with equal
figures are never parted.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from insiders.value.scores import RFM, rank_share

Labels = NDArray[np.int64]

FIFTHS = 5

# The names that marketing gives to R (rows, 1 is longest ago) and the mean of F and M (columns, 1 is least), as 5 x 5.
RFM_NAMES = (
    ("lost", "lost", "at risk", "at risk", "cannot lose"),
    ("hibernating", "hibernating", "at risk", "at risk", "cannot lose"),
    ("about to sleep", "about to sleep", "need attention", "loyal", "loyal"),
    ("promising", "potential loyalist", "potential loyalist", "loyal", "loyal"),
    ("new", "potential loyalist", "potential loyalist", "champions", "champions"),
)


def quantiles(score: ArrayLike, count: int) -> Labels:
    """The quantile, 0 (lowest) to count - 1, of each value among all of them."""
    values = np.asarray(score, dtype=np.float64)
    return np.clip(np.ceil(rank_share(values, values) * count), 1, count).astype(np.int64) - 1


def rfm_cells(customers: pd.DataFrame) -> Labels:
    """The 125 cells of quintiles of recency, order count and net revenue (Hughes 1994)."""
    recency, frequency, money = rfm_scores(customers)
    return (recency * FIFTHS + frequency) * FIFTHS + money


def rfm_groups(customers: pd.DataFrame) -> Labels:
    """The groups of RFM_NAMES, numbered in the alphabet's order."""
    return np.searchsorted(np.unique(RFM_NAMES), rfm_names(customers)).astype(np.int64)


def rfm_names(customers: pd.DataFrame) -> NDArray[np.str_]:
    """The name that marketing gives to each customer."""
    recency, frequency, money = rfm_scores(customers)
    return np.array(RFM_NAMES)[recency, (frequency + money + 1) // 2]


def rfm_scores(customers: pd.DataFrame) -> list[Labels]:
    """Quintiles, 0 to 4, of recency (4: the last to order), order count and net revenue."""
    return [quantiles(sign * customers[name].to_numpy(dtype=float), FIFTHS) for name, sign in RFM.items()]
