"""The table of members, one row per customer who is or was in the programme, as a check leaves it."""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.programme import arms
from insiders.programme.arms import Lottery
from insiders.programme.hands import IN, KEPT_OUT, NEVER, OUT
from insiders.programme.membership import (
    ABSENT,
    LOOSENESS,
    PINNED,
    Check,
    Event,
    Flags,
    Policy,
    Standing,
    advance,
    events,
    member_ranks,
    ranks,
)

MEMBER, GRACE, LEFT = "member", "grace", "left"  # status
STATUS = {Event.JOINED: MEMBER, Event.RETURNED: MEMBER, Event.STAYED: MEMBER, Event.IN_GRACE: GRACE, Event.LEFT: LEFT}
# Reasons: of being in ...
BY_RANK, BY_BAND, BY_ORDER, BY_GRACE, BY_HAND = "by_rank", "by_band", "by_order", "by_grace", "by_hand"
# ... and of having left.
FELL, NO_PLACE, KEPT_OUT_BY_HAND, OBJECTED, UNKNOWN = "fell", "no_place", "kept_out_by_hand", "objected", "unknown"
REASONS = (BY_RANK, BY_BAND, BY_ORDER, BY_GRACE, BY_HAND, FELL, NO_PLACE, KEPT_OUT_BY_HAND, OBJECTED, UNKNOWN)

DTYPES = {
    "status": "str",
    "since": "datetime64[us]",
    "until": "datetime64[us]",
    "reason": "str",
    "arm": "str",
    "rank": "Int64",
    "event": "str",
    "stratum": "int64",
    "place": "int64",
    "score": "float64",
}


class Roster(NamedTuple):
    """The customers on a day, and how many of them the programme has room for.

    `customers` has by customer_id (the index): `score`, its `place` among all customers (1 the highest), `bought` since
    the check before, `hand` ("": none) and, where a rule decides, its `looseness`.
    """

    day: pd.Timestamp
    size: int
    customers: pd.DataFrame

    def check(self, ids: "pd.Index[str]") -> Check:
        """The same for these customers, in their order; who is not on the roster is absent."""
        known = self.customers.reindex(ids)
        hand = known["hand"].astype("str").fillna("")
        rank = known["place"].fillna(ABSENT).mask(hand.eq(IN), PINNED).mask(hand.isin(KEPT_OUT), ABSENT)
        bought = known["bought"].eq(True) & ~hand.isin(KEPT_OUT)
        looseness = known["looseness"].fillna(np.inf).to_numpy(float) if LOOSENESS in known else None
        return Check(self.day, self.size, rank.to_numpy(np.int64), bought.to_numpy(bool), looseness)

    def border(self, band: float) -> int:
        """The last place at which a member stays."""
        return self.check(self.customers.index).border(band)


def roster(customers: pd.DataFrame, size: int, before: pd.Timestamp | None, hands: "pd.Series[str]") -> Roster:
    """Customers of one day (as_of) with `score`; `before` is the day of the check before, `hands` by customer_id.

    Those who are kept out by hand stand behind all others. Where a rule decides (`looseness`: the least band at which
    a customer meets it, infinite for none), the size is the number of those who meet it.
    """
    day = customers["as_of"].iloc[0]
    hand = hands.reindex(customers["customer_id"]).fillna("").to_numpy()
    is_out = np.isin(hand, KEPT_OUT)
    eligible = customers.assign(score=customers["score"].mask(is_out, -np.inf))
    if LOOSENESS in customers:
        eligible[LOOSENESS] = customers[LOOSENESS].mask(is_out, np.inf)
        size = int((eligible[LOOSENESS] <= 1).sum())
    known = eligible.assign(
        score=customers["score"],
        place=ranks(eligible),
        bought=False if before is None else customers["recency_days"] <= (day - before).days,
        hand=hand,
    )
    columns = ["customer_id", "score", "place", "bought", "hand", *([LOOSENESS] if LOOSENESS in known else [])]
    return Roster(day, size, known[columns].set_index("customer_id").sort_index())


def none() -> pd.DataFrame:
    """The table of a programme that never had a member, by customer_id."""
    empty = pd.DataFrame({name: pd.array([], dtype=dtype) for name, dtype in DTYPES.items()})
    return empty.set_index(pd.Index([], dtype="str", name="customer_id"))


def review(last: pd.DataFrame, now: Roster, policy: Policy, lottery: Lottery) -> pd.DataFrame:
    """The table after a check; `last`: the table after the check before (`none`), by customer_id."""
    ids = now.customers.index.union(last.index).rename("customer_id")
    old, check = last.reindex(ids), now.check(ids)
    before = _standing(old)
    after = advance(before, check, policy)
    event = pd.Series(events(before, after, old["status"].notna().to_numpy(bool)), ids)
    known = now.customers.reindex(ids)
    table = old.assign(
        event=event.map(lambda number: Event(number).name.lower()),
        status=event.map(STATUS).fillna(old["status"]),
        since=old["since"].mask(event.isin((Event.JOINED, Event.RETURNED)), now.day),
        until=_until(old, event, after, now.day),
        reason=_reasons(old, event, check, known["hand"].astype("str").fillna(""), check.border(policy.band)),
        place=known["place"].fillna(ABSENT),
        score=known["score"].fillna(0.0),
    )
    kept = table[table["status"].notna()]
    drawn = _with_arms(kept, last, now.size, lottery)
    return drawn.assign(rank=inside(kept)["place"].rank()).astype(DTYPES)[list(DTYPES)]


def _standing(old: pd.DataFrame) -> Standing:
    in_grace = old["status"].eq(GRACE)
    until = old["until"].where(in_grace).to_numpy("datetime64[us]")
    rank = old["place"].fillna(ABSENT).to_numpy(np.int64)
    return Standing((in_grace | old["status"].eq(MEMBER)).to_numpy(bool), until, rank)


def _until(old: pd.DataFrame, event: "pd.Series[int]", after: Standing, day: pd.Timestamp) -> "pd.Series[pd.Timestamp]":
    """End of the grace, or the day on which somebody left; null for a member."""
    left = old["until"].where(old["status"].eq(LEFT) & event.eq(Event.OUTSIDE)).mask(event.eq(Event.LEFT), day)
    return left.fillna(pd.Series(after.until, old.index))


def _reasons(
    old: pd.DataFrame, event: "pd.Series[int]", check: Check, hand: "pd.Series[str]", limit: float
) -> "pd.Series[str]":
    """`limit`: the last rank at which a member stays."""
    inside, left = event.map(STATUS).isin((MEMBER, GRACE)).to_numpy(bool), event.eq(Event.LEFT).to_numpy(bool)
    rank = member_ranks(_standing(old), check)
    kinds: dict[str, Flags] = {
        BY_HAND: inside & (check.rank == PINNED),
        BY_GRACE: event.eq(Event.IN_GRACE).to_numpy(bool),
        BY_RANK: inside & (check.rank <= check.size),
        BY_BAND: inside & (check.rank <= limit),
        BY_ORDER: inside & (rank <= limit),
        OBJECTED: left & hand.eq(NEVER).to_numpy(bool),
        KEPT_OUT_BY_HAND: left & hand.eq(OUT).to_numpy(bool),
        UNKNOWN: left & (check.rank == ABSENT),
        NO_PLACE: left & (rank <= limit),
        FELL: left,
    }
    before = old["reason"].where(~inside, BY_RANK)  # places left over go by rank too
    return pd.Series(np.select(list(kinds.values()), list(kinds), before), old.index)


def _with_arms(table: pd.DataFrame, last: pd.DataFrame, size: int, lottery: Lottery) -> pd.DataFrame:
    """Draw the arms of those who were never in; all others keep theirs."""
    joining = table.index.difference(last.index)
    stratum = table["stratum"].copy()
    stratum[joining] = arms.strata(table.loc[joining, "place"].to_numpy(np.int64), size)
    new = pd.DataFrame({"customer_id": joining, "stratum": stratum[joining].to_numpy()}, index=joining)
    arm = table["arm"].copy()
    arm[joining] = arms.draw(new, last[["stratum", "arm"]], lottery)
    return table.assign(arm=arm, stratum=stratum)


def inside(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of those who are members now, in grace or not."""
    return table[table["status"].isin((MEMBER, GRACE))]


def without_objectors(table: pd.DataFrame, hands: "pd.Series[str]", day: pd.Timestamp) -> pd.DataFrame:
    """A recorded table without the members who objected since: they leave on its day, whatever was recorded."""
    objecting = inside(table).index.intersection(hands.index[hands == NEVER])
    gone = pd.Series(table.index.isin(objecting), table.index)
    marks = {"status": LEFT, "event": Event.LEFT.name.lower(), "reason": OBJECTED, "until": day}
    changed = table.assign(**{name: table[name].mask(gone, mark) for name, mark in marks.items()})
    return changed.assign(rank=inside(changed)["place"].rank()).astype({"rank": "Int64"})


def walk(
    rosters: Iterable[Roster], policy: Policy, lottery: Lottery, last: pd.DataFrame | None = None
) -> Iterator[pd.DataFrame]:
    """The table after each check, from the table `last` on, or from a programme without members."""
    table = none() if last is None else last
    for each in rosters:
        table = review(table, each, policy, lottery)
        yield table


def aligned(rosters: Sequence[Roster]) -> tuple[list[Check], list[NDArray[np.float64]]]:
    """The checks of a walk and the scores, all in the order of one list of customers."""
    ids = reduce(lambda known, each: known.union(each), (each.customers.index for each in rosters))
    scores = [each.customers["score"].reindex(ids).fillna(0.0).to_numpy(float) for each in rosters]
    return [each.check(ids) for each in rosters], scores
