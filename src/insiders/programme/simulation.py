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

from insiders.programme.membership import INSIDE, Event
from insiders.programme.rules import Flags, Rule, loosen, meets

MONTHS_A_YEAR = 12
NEVER = -10_000  # a month before all others


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
        """Number of each check's calendar month; the last month may hold two checks, at its start and at as_of."""
        return np.asarray(self.days.year * MONTHS_A_YEAR + self.days.month, dtype=np.int64)


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
    """Who leaves or returns within so many months of their last change, shape (customers, checks)."""
    changed = np.full(len(events), NEVER)
    is_flip = np.zeros(events.shape, bool)
    for check, month in enumerate(months):
        now = events[:, check]
        undone = np.isin(now, (Event.LEFT, Event.RETURNED))
        is_flip[:, check] = undone & (month - changed <= within)
        changed = np.where(undone | (now == Event.JOINED), month, changed)
    return is_flip


def count_events(events: NDArray[np.int64], grid: Grid, terms: Terms) -> pd.DataFrame:
    """One row per check: members before and after, each kind of event, flips, and their shares of the members before.

    `judged`: a whole month passed since the check before, and one member is no more than `flip_share_max` of those
    before; in smaller groups a single person would decide.
    """
    kinds = {event.name.lower(): (events == event).sum(axis=0) for event in Event if event is not Event.OUTSIDE}
    after = np.isin(events, INSIDE).sum(axis=0)
    before = np.concatenate([[0], after[:-1]])
    flipped = flips(events, grid.months, terms.flip_months).sum(axis=0)
    is_later_month = np.diff(grid.months, prepend=grid.months[:1]) > 0
    table = pd.DataFrame({"as_of": grid.days, "before": before, **kinds, "members": after, "flips": flipped})
    changes = {"flip_share": flipped, "left_share": kinds["left"], "returned_share": kinds["returned"]}
    shares = {name: np.where(before > 0, count / np.maximum(before, 1), np.nan) for name, count in changes.items()}
    return table.assign(**shares, judged=is_later_month & (before * terms.flip_share_max >= 1))


def worst_flip_share(counts: pd.DataFrame) -> float | None:
    """The largest share of the members that flipped in one month; None where no month can be judged."""
    shares = counts.loc[counts["judged"], "flip_share"]
    return float(shares.max()) if len(shares) else None


def _guest_share(events: NDArray[np.int64], enters: Flags) -> float | None:
    inside = np.isin(events, INSIDE)
    return float((inside & ~enters).sum() / inside.sum()) if inside.any() else None
