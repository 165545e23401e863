"""Who of the members is invited and who is held out: by lot, once, on joining.

The lot is a keyed hash of the customer's id, so it is the same on every machine and is never drawn again. Members are
drawn within strata of their rank, in which the share held out is kept as further members join.
"""

import hashlib
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

INVITED, HELD_OUT = "invited", "held_out"
STRATA = 4  # quarters of the programme by rank


class Lottery(NamedTuple):
    """`held_out_share` of the members of each stratum is held out; `seed` is the key of the lots."""

    seed: int
    held_out_share: float


def strata(rank: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Quarter of the programme in which a rank lies, 1 the first; ranks beyond the programme are in the last."""
    return np.clip((rank * STRATA + size - 1) // max(size, 1), 1, STRATA).astype(np.int64)


def draw(joining: pd.DataFrame, drawn: pd.DataFrame, lottery: Lottery) -> "pd.Series[str]":
    """The arm of each joining customer (customer_id, stratum), in their order.

    `drawn` holds `stratum` and `arm` of all who joined before: in each stratum so many more are held out, those with
    the lowest lots, that the share of all who ever joined is kept, rounded to whole people.
    """
    lots = [_lot(lottery.seed, each) for each in joining["customer_id"]]
    arm = pd.Series(INVITED, index=joining.index, dtype="str")
    for stratum, rows in joining.assign(lot=lots).groupby("stratum"):
        before = drawn.loc[drawn["stratum"] == stratum, "arm"]
        wanted = round((len(before) + len(rows)) * lottery.held_out_share) - int((before == HELD_OUT).sum())
        arm[rows.sort_values("lot").index[: max(wanted, 0)]] = HELD_OUT
    return arm


def _lot(seed: int, customer_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}|{customer_id}".encode()).digest()[:7])
