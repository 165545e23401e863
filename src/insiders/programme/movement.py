"""Who joined, left and returned at each check, and why: as decided, and before the first decision as simulated."""

from typing import NamedTuple, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.programme.membership import INSIDE, NO_DAY, Event, Flags, Standing, events

SHOWN = (Event.LEFT, Event.IN_GRACE, Event.RETURNED, Event.JOINED)  # what is told by name and reason
LATEST_MAX = 5  # customers listed for each kind of event


class Walk(NamedTuple):
    """The Event of each customer at each check, shape (customers, checks), and whether a person decided the check."""

    customers: "pd.Index[str]"
    days: pd.DatetimeIndex
    events: NDArray[np.int64]
    decided: list[bool]

    @classmethod
    def of(cls, movement: pd.DataFrame) -> "Walk":
        """`movement` is schemas.MOVEMENT."""
        row, customers = pd.factorize(movement["customer_id"], sort=True)
        column, days = pd.factorize(movement["as_of"], sort=True)
        walked = np.full((len(customers), len(days)), int(Event.OUTSIDE))
        walked[row, column] = movement["event"].map(lambda name: int(Event[name.upper()])).to_numpy(np.int64)
        decided = movement.groupby("as_of")["decided"].all().tolist()
        return cls(pd.Index(customers), pd.DatetimeIndex(days), walked, decided)


class Since(TypedDict):
    """What changed since an earlier check: the last that a person decided, else the one before."""

    as_of: str
    decided: bool
    members: int  # then
    joined: int
    left: int


def since(walk: Walk) -> Since | None:
    """None where the last check is the first."""
    if len(walk.days) <= 1:
        return None
    earlier = next((place for place in range(len(walk.days) - 2, -1, -1) if walk.decided[place]), len(walk.days) - 2)
    before, now = (np.isin(walk.events[:, place], INSIDE) for place in (earlier, -1))
    return {
        "as_of": f"{walk.days[earlier]:%Y-%m-%d}",
        "decided": walk.decided[earlier],
        "members": int(before.sum()),
        "joined": int((now & ~before).sum()),
        "left": int((before & ~now).sum()),
    }


def of_lists(listed: Flags) -> NDArray[np.int64]:
    """The events where whoever is on the list of a check is a member, and nobody else; shape (customers, checks)."""
    before, ever = Standing.nobody(len(listed)), np.zeros(len(listed), bool)
    columns: list[NDArray[np.int64]] = []
    for member in listed.T:
        after = Standing(member, np.full(len(member), NO_DAY), before.rank)
        columns.append(events(before, after, ever))
        before, ever = after, ever | member
    return np.column_stack(columns) if columns else np.zeros(listed.shape, np.int64)


class Change(TypedDict):
    """An event of one customer, and its reason (members.REASONS)."""

    event: str
    as_of: str
    customer_id: str
    reason: str
    decided: bool


class ReasonCount(TypedDict):
    """How many customers joined, left or returned at a check for a reason."""

    as_of: str
    event: str
    reason: str
    customers: int


def latest(movement: pd.DataFrame) -> list[Change]:
    """The latest events of each kind; in grace: only those of the last check."""
    names = {event: event.name.lower() for event in SHOWN}
    rows = movement.sort_values(["as_of", "customer_id"], ascending=[False, True])
    is_old_grace = (rows["event"] == names[Event.IN_GRACE]) & (rows["as_of"] < rows["as_of"].max())
    kinds = [rows[(rows["event"] == name) & ~is_old_grace].head(LATEST_MAX) for name in names.values()]
    return _plain(pd.concat(kinds)[list(Change.__annotations__)])


def reasons(movement: pd.DataFrame) -> list[ReasonCount]:
    """What happened at each check, by reason, the most frequent first; who stays is not told."""
    names = [event.name.lower() for event in SHOWN if event is not Event.IN_GRACE]
    moved = movement[movement["event"].isin(names)]
    counts = moved.groupby(["as_of", "event", "reason"]).size().rename("customers").reset_index()
    order = ["as_of", "event", "customers", "reason"]
    return _plain(counts.sort_values(order, ascending=[True, True, False, True]))


def _plain(rows: pd.DataFrame) -> list:
    return rows.assign(as_of=rows["as_of"].dt.strftime("%Y-%m-%d")).to_dict("records")
