"""How customers moved between segments from one month start to the next."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypedDict

import pandas as pd

ABSENT = "not yet a customer"


class Target(TypedDict):
    """Customers who moved to a segment, and their share of those who left the same one."""

    segment: str
    customers: int
    share: float


class MovementRow(TypedDict):
    """Where the customers of a segment were next; `is_new`: those who were not yet customers, whose segment is null."""

    segment: str | None
    is_new: bool
    customers: int
    to: list[Target]


# All pairs of neighbouring days together: `steps` pairs, from the first day to the last.
Movement = TypedDict(
    "Movement", {"from": str, "to": str, "steps": int, "segments": list[str], "rows": list[MovementRow]}
)


def movement(memberships: pd.DataFrame, order: Sequence[str]) -> Movement | None:
    """Count the moves of all customers between neighbouring days; None without two days.

    `memberships` holds customer_id, as_of, segment. `order` is that of the segments; others follow by name.
    """
    days = sorted(memberships["as_of"].unique())
    steps = [_step(memberships, *each) for each in pairwise(days)]
    if not steps:
        return None
    counts = pd.concat(steps).groupby(["before", "after"])["customers"].sum()
    present = set(counts.index.get_level_values("before")) | set(counts.index.get_level_values("after"))
    names = [name for name in order if name in present] + sorted(present - {*order, ABSENT})
    return {
        "from": f"{days[0]:%Y-%m-%d}",
        "to": f"{days[-1]:%Y-%m-%d}",
        "steps": len(steps),
        "segments": names,
        "rows": [_row(name, counts, names) for name in [*names, ABSENT] if name in counts],
    }


def _step(memberships: pd.DataFrame, day: pd.Timestamp, next_day: pd.Timestamp) -> pd.DataFrame:
    """Customers of the later day by their segment on both."""
    before, after = (
        memberships.loc[memberships["as_of"] == each].set_index("customer_id")["segment"] for each in (day, next_day)
    )
    moves = pd.DataFrame({"before": before.reindex(after.index).fillna(ABSENT), "after": after})
    return moves.groupby(["before", "after"]).size().rename("customers").reset_index()


def _row(name: str, counts: "pd.Series[int]", names: Sequence[str]) -> MovementRow:
    targets = counts[name].reindex(list(names), fill_value=0)
    total = int(targets.sum())
    return {
        "segment": None if name == ABSENT else name,
        "is_new": name == ABSENT,
        "customers": total,
        "to": [{"segment": each, "customers": int(n), "share": n / total} for each, n in targets.items()],
    }
