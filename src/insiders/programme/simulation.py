"""The programme month by month: who would have joined, stayed, left and returned under today's rules.

A customer joins by meeting the rule to enter and stays by meeting the looser rule to stay. A member who misses the
latter is in grace, and leaves when they missed it at every check for the months of grace. Each check uses only what was
known on its day. The rules are today's, so this is a simulation and not what was decided then.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.programme import stillness
from insiders.programme.membership import INSIDE, Event
from insiders.programme.rules import Flags, Rule, loosen, meets
from insiders.programme.stillness import NEVER, month_numbers


class Grid(NamedTuple):
    """Customers by checks, and the place in it of each row of a table with one row per customer and check."""

    customers: pd.Index
    days: pd.DatetimeIndex
    row: NDArray[np.int64]
    column: NDArray[np.int64]

    @classmethod
    def of(cls, checks: pd.DataFrame) -> "Grid":
        """`checks` has one row per `customer_id` and `as_of`."""
        row, customers = pd.factorize(checks["customer_id"], sort=True)
        column, days = pd.factorize(checks["as_of"], sort=True)
        return cls(pd.Index(customers), pd.DatetimeIndex(days), row, column)

    def fill(self, flags: Flags) -> Flags:
        """One flag per row of the table, as an array (customers, checks); False before somebody was a customer."""
        filled = np.zeros((len(self.customers), len(self.days)), bool)
        filled[self.row, self.column] = flags
        return filled

    @property
    def months(self) -> NDArray[np.int64]:
        return month_numbers(self.days)


class Terms(NamedTuple):
    """What the policy is chosen by."""

    flip_share_max: float  # of the members, in one month
    flip_months: int  # a change that is undone within so many months is a flip
    slacks: Sequence[float]  # candidates: shares by which thresholds are loosened
    graces: Sequence[int]  # candidates: months


class Policy(NamedTuple):
    """When a member leaves, and what it would have done in the past; `events` has the shape (customers, checks)."""

    stay: Rule
    slack: float
    grace_months: int
    events: NDArray[np.int64]
    guest_share: float | None  # of all members at all checks: those who missed the rule to enter
    worst_flip_share: float | None  # of the members in one month; None: no month had enough members to judge by


def choose(enter: Rule, checks: pd.DataFrame, terms: Terms) -> Policy:
    """The slack and grace that keep the share of members who flip below the maximum in every month.

    Of several, those with the fewest guests; where none keeps below it, those that come closest; where no month can be
    judged, the least slack and grace.
    """
    policies = list(_candidates(enter, checks, terms))
    fitting = [each for each in policies if (each.worst_flip_share or 0.0) <= terms.flip_share_max]
    if fitting:
        return min(fitting, key=lambda each: (each.guest_share or 0.0, each.grace_months, each.slack))
    return min(policies, key=lambda each: (each.worst_flip_share, each.guest_share, each.grace_months, each.slack))


def _candidates(enter: Rule, checks: pd.DataFrame, terms: Terms) -> Iterator[Policy]:
    grid = Grid.of(checks)
    enters = grid.fill(meets(enter, checks))
    for slack in sorted(terms.slacks):
        stay = loosen(enter, slack)
        stays = grid.fill(meets(stay, checks))
        for grace in sorted(terms.graces):
            events = replay(enters, stays, grid.months, grace)
            worst = worst_flip_share(count_events(events, grid, terms))
            yield Policy(stay, slack, grace, events, _guest_share(events, enters), worst)


def replay(enters: Flags, stays: Flags, months: NDArray[np.int64], grace_months: int) -> NDArray[np.int64]:
    """The Event of each customer at each check, shape (customers, checks); whoever may enter may also stay."""
    customers = len(enters)
    member, ever = np.zeros(customers, bool), np.zeros(customers, bool)
    missed_since = np.full(customers, NEVER)
    events = np.zeros(enters.shape, dtype=np.int64)
    for check, month in enumerate(months):
        kept = stays[:, check] | enters[:, check]
        missed_since = np.where(kept | ~member, NEVER, np.where(missed_since == NEVER, month, missed_since))
        missing = member & ~kept
        leaving = missing & (month - missed_since >= grace_months)
        coming = ~member & enters[:, check]
        events[member, check] = Event.STAYED
        events[missing, check] = Event.IN_GRACE
        events[leaving, check] = Event.LEFT
        events[coming, check] = np.where(ever[coming], Event.RETURNED, Event.JOINED)
        member = (member & ~leaving) | coming
        ever |= coming
    return events


def flips(events: NDArray[np.int64], months: NDArray[np.int64], within: int) -> Flags:
    """stillness.flips, where whoever is in at the first check joins at it."""
    return stillness.flips(events, months, within, new_at_first=True)


def count_events(events: NDArray[np.int64], grid: Grid, terms: Terms) -> pd.DataFrame:
    """stillness.count_events, where whoever is in at the first check joins at it."""
    return stillness.count_events(events, grid.days, terms, new_at_first=True)


def worst_flip_share(counts: pd.DataFrame) -> float | None:
    """The largest share of the members that flipped in one month; None where no month can be judged."""
    shares = counts.loc[counts["judged"], "flip_share"]
    return float(shares.max()) if len(shares) else None


def _guest_share(events: NDArray[np.int64], enters: Flags) -> float | None:
    inside = np.isin(events, INSIDE)
    return float((inside & ~enters).sum() / inside.sum()) if inside.any() else None
