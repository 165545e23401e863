"""Who is in the programme as of a day: one membership, walked on from check to check.

At a check customers stand in the order of their scores, and the programme's places go to these, in this order:

1. whoever was put in by hand
2. members who rank within the size
3. customers far above the border (rank x band within size), who need not wait for a place
4. members who rank within band x size
5. members in grace, for so many months after the first check at which they ranked beyond that
6. everybody else

A member who ordered since the check before ranks no lower than at that check, whatever the order does to the score: so
nobody drops out by buying.

So few change from month to month, and the number of members stays what was asked for. Where a rule decides instead of
the score (programme.by), whoever meets it is in, stays while meeting it with looser thresholds, and then in grace. Each
check uses only what was known on its day.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Days = NDArray[np.datetime64]

PINNED = 0  # rank of whoever was put in by hand
ABSENT = 10**12  # rank of whoever may not be a member: kept out by hand, or no customer (yet)
NO_DAY = np.datetime64("NaT", "us")
LAST_TURN = 6
LOOSENESS = "looseness"  # column of customers where a rule decides


class Event(IntEnum):
    """What happens to a customer at a check."""

    OUTSIDE = 0
    JOINED = 1
    RETURNED = 2
    STAYED = 3
    IN_GRACE = 4
    LEFT = 5


INSIDE = (Event.JOINED, Event.RETURNED, Event.STAYED, Event.IN_GRACE)


class Policy(NamedTuple):
    """How still the membership is: a member stays within `band` (1 or more) times the size, and then in grace."""

    band: float
    grace_months: int


class Check(NamedTuple):
    """The customers on a day, one value each, in an order that all checks of a walk share."""

    day: pd.Timestamp
    size: int  # places
    rank: NDArray[np.int64]  # 1 is the highest score; PINNED, ABSENT
    bought: Flags  # ordered since the check before
    looseness: NDArray[np.float64] | None = None  # where a rule decides: the least band at which each one meets it

    def border(self, band: float) -> int:
        """The last rank at which a member stays."""
        return int(band * self.size) if self.looseness is None else int((self.looseness <= band).sum())


class Standing(NamedTuple):
    """Who is in after a check, and at which rank, in the order of the checks.

    `until` is the end of grace, NaT for all who are not in it.
    """

    member: Flags
    until: Days
    rank: NDArray[np.int64]

    @classmethod
    def nobody(cls, customers: int) -> "Standing":
        return cls(np.zeros(customers, bool), np.full(customers, NO_DAY), np.full(customers, ABSENT))

    @property
    def in_grace(self) -> Flags:
        return self.member & ~np.isnat(self.until)


def ranks(customers: pd.DataFrame) -> NDArray[np.int64]:
    """Place of each customer by `score`, 1 the highest; ties go to net revenue, then the more recent, then the id.

    Where a rule decides, those who miss it by less (`looseness`) stand before all others.
    """
    first = [LOOSENESS] if LOOSENESS in customers else []
    order = [*first, "score", "net_revenue", "recency_days", "customer_id"]
    ascending = [*(True for _ in first), False, False, True, True]
    rows = customers[order].reset_index(drop=True).sort_values(order, ascending=ascending)
    places = np.empty(len(rows), dtype=np.int64)
    places[rows.index.to_numpy()] = np.arange(1, len(rows) + 1)
    return places


def member_ranks(before: Standing, check: Check) -> NDArray[np.int64]:
    """The rank by which each customer is looked at: that of a member who ordered is no lower than it was."""
    held = before.member & check.bought & (check.rank < ABSENT) & (check.looseness is None)
    return np.where(held, np.minimum(check.rank, before.rank), check.rank)


def advance(before: Standing, check: Check, policy: Policy) -> Standing:
    """The members after a check, as many as it has places where there are so many customers.

    Where a rule decides, the programme has a place for whoever meets it, stays by it or is in grace.
    """
    rank = member_ranks(before, check)
    stays = before.member & (rank <= check.border(policy.band))
    until = _grace_ends(before, before.member & ~stays, check.day, policy)
    in_grace = (until > np.datetime64(check.day, "us")) & (rank < ABSENT)
    turns = [rank == PINNED, stays & (rank <= check.size), rank * policy.band <= check.size, stays, in_grace]
    turn = np.select(turns, range(1, LAST_TURN), LAST_TURN)
    places = check.size if check.looseness is None else int(((turn < LAST_TURN) | (rank <= check.size)).sum())
    member = np.zeros(len(turn), bool)
    # At the same rank whoever keeps theirs by an order comes first: else the one whom they fell behind takes the place.
    member[np.lexsort((check.rank, rank == check.rank, rank, turn))[:places]] = True
    member &= rank < ABSENT
    return Standing(member, np.where(member & in_grace, until, NO_DAY), check.rank)


def _grace_ends(before: Standing, missing: Flags, day: pd.Timestamp, policy: Policy) -> Days:
    """Grace that began earlier goes on; NaT for all who are not `missing`."""
    end = np.datetime64(day + pd.DateOffset(months=policy.grace_months), "us")
    return np.where(missing, np.where(np.isnat(before.until), end, before.until), NO_DAY)


def events(before: Standing, after: Standing, ever: Flags) -> NDArray[np.int64]:
    """The Event of each customer at a check; `ever`: was a member at some check before it."""
    came, went = after.member & ~before.member, before.member & ~after.member
    kinds = {
        Event.RETURNED: came & ever,
        Event.JOINED: came,
        Event.LEFT: went,
        Event.IN_GRACE: after.in_grace,
        Event.STAYED: after.member,
    }
    return np.select(list(kinds.values()), [int(kind) for kind in kinds], int(Event.OUTSIDE))


def replay(checks: Iterable[Check], policy: Policy) -> NDArray[np.int64]:
    """The Event of each customer at each check, shape (customers, checks), from a programme without members on."""
    columns: list[NDArray[np.int64]] = []
    before, ever = Standing.nobody(0), np.zeros(0, bool)
    for check in checks:
        if not columns:
            before, ever = Standing.nobody(len(check.rank)), np.zeros(len(check.rank), bool)
        after = advance(before, check, policy)
        columns.append(events(before, after, ever))
        before, ever = after, ever | after.member
    return np.column_stack(columns)
