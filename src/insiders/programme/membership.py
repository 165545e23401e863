"""The programme month by month: who would have joined, stayed, left and returned, had today's rules held before.

A customer enters by meeting the rule to enter, stays by meeting the looser rule to stay, and leaves when they missed it
at every check for as many months as the grace lasts. Each check uses only what was known at its date; the rules are
today's, so this is a simulation and not what was decided then.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.programme.rules import Flags, Rule, loosened, meets

MONTHS_A_YEAR = 12
NEVER = -10_000  # a month before all others


class Event(IntEnum):
    """What a check says of a customer."""

    OUTSIDE = 0
    JOINED = 1
    RETURNED = 2
    STAYED = 3
    IN_GRACE = 4
    LEFT = 5


class Checks(NamedTuple):
    """Where each row of a table of customers at several dates stands in a grid of customers by dates."""

    customers: pd.Index
    days: pd.DatetimeIndex
    row: NDArray[np.int64]
    column: NDArray[np.int64]

    def grid(self, flags: Flags) -> Flags:
        """Shape (customers, days); who was no customer at a date is False there."""
        filled = np.zeros((len(self.customers), len(self.days)), bool)
        filled[self.row, self.column] = flags
        return filled

    @property
    def months(self) -> NDArray[np.int64]:
        """Number of each check's month; two checks can fall into one, at the start and at as_of."""
        return np.asarray(self.days.year * MONTHS_A_YEAR + self.days.month, dtype=np.int64)


class Terms(NamedTuple):
    """What the conditions to leave are chosen by."""

    flip_share_max: float  # of the members, in one month
    flip_months: int  # a change that is undone within so many months is a flip
    slacks: Sequence[float]  # to choose among: shares by which a threshold is loosened
    graces: Sequence[int]  # to choose among: months


class Conditions(NamedTuple):
    """The chosen conditions to leave, and what they would have done; `events` has the shape (customers, days)."""

    stay: Rule
    slack: float
    grace_months: int
    events: NDArray[np.int64]
    guest_share: float | None  # of all members at all checks: who did not meet the rule to enter
    worst_flip_share: float | None  # None: no month had enough members to judge by


def checks(known: pd.DataFrame) -> Checks:
    """`known` holds one row per `customer_id` and `as_of`."""
    row, customers = pd.factorize(known["customer_id"], sort=True)
    column, days = pd.factorize(known["as_of"], sort=True)
    return Checks(pd.Index(customers), pd.DatetimeIndex(days), row, column)


def choose(enter: Rule, known: pd.DataFrame, terms: Terms) -> Conditions:
    """The slack and grace by which at most the stated share of the members flips in any month.

    Of those that do, the one that keeps the fewest members who would not be let in today; where none does, the one that
    comes closest; where nothing can be judged, the least slack and grace.
    """
    tried = list(_tried(enter, known, terms))
    fitting = [each for each in tried if (each.worst_flip_share or 0.0) <= terms.flip_share_max]
    if fitting:
        return min(fitting, key=lambda each: (each.guest_share or 0.0, each.grace_months, each.slack))
    return min(tried, key=lambda each: (each.worst_flip_share, each.guest_share, each.grace_months, each.slack))


def _tried(enter: Rule, known: pd.DataFrame, terms: Terms) -> Iterator[Conditions]:
    places = checks(known)
    enters = places.grid(meets(enter, known))
    for slack in sorted(terms.slacks):
        stay = loosened(enter, slack)
        stays = places.grid(meets(stay, known))
        for grace in sorted(terms.graces):
            events = walk(enters, stays, places.months, grace)
            worst = worst_share(counts(events, places, terms))
            yield Conditions(stay, slack, grace, events, _guests(events, enters), worst)


def walk(enters: Flags, stays: Flags, months: NDArray[np.int64], grace_months: int) -> NDArray[np.int64]:
    """The Event of each customer at each check, shape (customers, days); who enters also stays."""
    customers = len(enters)
    member, ever = np.zeros(customers, bool), np.zeros(customers, bool)
    missed_since = np.full(customers, NEVER)
    events = np.zeros(enters.shape, dtype=np.int64)
    for day, month in enumerate(months):
        kept = stays[:, day] | enters[:, day]
        missed_since = np.where(kept | ~member, NEVER, np.where(missed_since == NEVER, month, missed_since))
        missing = member & ~kept
        leaving = missing & (month - missed_since >= grace_months)
        coming = ~member & enters[:, day]
        events[member, day] = Event.STAYED
        events[missing, day] = Event.IN_GRACE
        events[leaving, day] = Event.LEFT
        events[coming, day] = np.where(ever[coming], Event.RETURNED, Event.JOINED)
        member = (member & ~leaving) | coming
        ever |= coming
    return events


def flips(events: NDArray[np.int64], months: NDArray[np.int64], within: int) -> Flags:
    """Who, at which check, undoes a change of at most `within` months ago: leaves after entering, or returns."""
    changed = np.full(len(events), NEVER)
    found = np.zeros(events.shape, bool)
    for day, month in enumerate(months):
        now = events[:, day]
        undone = np.isin(now, (Event.LEFT, Event.RETURNED))
        found[:, day] = undone & (month - changed <= within)
        changed = np.where(undone | (now == Event.JOINED), month, changed)
    return found


def counts(events: NDArray[np.int64], places: Checks, terms: Terms) -> pd.DataFrame:
    """One row per check: members before and after, how many joined, returned, stayed, are in grace, left, flipped.

    `judged`: a whole month passed since the check before, and one member is no more than the stated share of those
    before; in smaller groups a single person would decide.
    """
    told = {event.name.lower(): (events == event).sum(axis=0) for event in Event if event is not Event.OUTSIDE}
    after = told["joined"] + told["returned"] + told["stayed"] + told["in_grace"]
    before = np.concatenate([[0], after[:-1]])
    flipped = flips(events, places.months, terms.flip_months).sum(axis=0)
    whole = np.diff(places.months, prepend=places.months[:1]) > 0
    table = pd.DataFrame({"as_of": places.days, "before": before, **told, "members": after, "flips": flipped})
    shares = {"flip_share": flipped, "left_share": told["left"], "returned_share": told["returned"]}
    least = np.maximum(before, 1)
    known = {name: np.where(before > 0, found / least, np.nan) for name, found in shares.items()}
    return table.assign(**known, judged=whole & (before * terms.flip_share_max >= 1))


def worst_share(told: pd.DataFrame) -> float | None:
    """The largest share of the members that flipped in one month; None where no month can be judged."""
    judged = told.loc[told["judged"], "flip_share"]
    return float(judged.max()) if len(judged) else None


def _guests(events: NDArray[np.int64], enters: Flags) -> float | None:
    inside = np.isin(events, (Event.JOINED, Event.RETURNED, Event.STAYED, Event.IN_GRACE))
    return float((inside & ~enters).sum() / inside.sum()) if inside.any() else None
