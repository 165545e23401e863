"""What another size of the list would bring: as the model ranks segments, and as the list ranks customers."""

from collections.abc import Iterable
from math import fsum
from typing import TypedDict

import numpy as np
import pandas as pd

from insiders.explore import profiles
from insiders.units import NO_CLUSTER

LIMITS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3)  # shares of the customers that a programme could take
POINTS = 60  # of the curves
CURVE_TO = 0.3  # share of the customers at which they end
# The list's own order: expected revenue, then what decides between equals.
ORDER = {"expected_revenue": False, "net_revenue": False, "recency_days": True}


class Held(TypedDict):
    """How many customers a list holds, and what part of the past and of the expected revenue; null without revenue."""

    count: int
    customer_share: float
    net_revenue_share: float | None
    expected_revenue: float
    expected_share: float | None


class SegmentStep(Held):
    """A list down to this segment."""

    segment: str
    is_insider: bool  # most of the segment's customers are


class RankStep(Held):
    """A list of the first customers, as many as `limit` (share of all) lets in.

    `last_expected`: what the last of them is expected to bring, that is what the next place is worth.
    """

    limit: float
    last_expected: float


def by_segment(members: pd.DataFrame) -> list[SegmentStep]:
    """The segments as the model ranks them, each with all before it: what a list down to it would hold."""
    known = members.groupby(["cluster", "segment"], as_index=False)["is_insider"].mean()
    ranked = known.assign(none=known["cluster"] == NO_CLUSTER).sort_values(["none", "cluster", "segment"])
    names = ranked["segment"].tolist()
    return [
        {
            "segment": name,
            "is_insider": share > profiles.MAJORITY,
            **_held(members[members["segment"].isin(names[:place])], members),
        }
        for place, (name, share) in enumerate(zip(names, ranked["is_insider"].tolist(), strict=True), start=1)
    ]


def by_rank(members: pd.DataFrame, limits: Iterable[float] = LIMITS) -> list[RankStep]:
    """The first customers by expected revenue, as many as each limit (share of all) lets in."""
    ranked = members.sort_values(list(ORDER), ascending=list(ORDER.values()), kind="stable")
    counts = {limit: int(limit * len(ranked) + 1e-9) for limit in limits}
    return [
        {
            "limit": limit,
            **_held(ranked.head(count), members),
            "last_expected": float(ranked["expected_revenue"].iloc[count - 1]),
        }
        for limit, count in counts.items()
        if count
    ]


def curve(members: pd.DataFrame) -> list[Held]:
    """What a list of each of POINTS sizes holds, best customers first: for a picture."""
    limits = np.linspace(CURVE_TO / POINTS, CURVE_TO, POINTS)
    return [
        {
            "count": row["count"],
            "customer_share": row["customer_share"],
            "net_revenue_share": row["net_revenue_share"],
            "expected_revenue": row["expected_revenue"],
            "expected_share": row["expected_share"],
        }
        for row in by_rank(members, limits.tolist())
    ]


def _held(chosen: pd.DataFrame, everybody: pd.DataFrame) -> Held:
    expected = fsum(chosen["expected_revenue"])
    return {
        "count": len(chosen),
        "customer_share": len(chosen) / len(everybody),
        "net_revenue_share": ratio(fsum(chosen["net_revenue"]), fsum(everybody["net_revenue"])),
        "expected_revenue": expected,
        "expected_share": ratio(expected, fsum(everybody["expected_revenue"])),
    }


def ratio(part: float, whole: float) -> float | None:
    """Null where there is nothing to have a share of."""
    return part / whole if whole > 0 else None


def own(members: pd.DataFrame) -> Held | None:
    """The list as it is; None where nobody is listed."""
    listed = members[members["is_insider"]]
    return _held(listed, members) if len(listed) else None
