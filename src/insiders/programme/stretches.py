"""A membership as other programs read it: stretches of time in the programme, and the changes between them."""

from collections.abc import Iterable

import pandas as pd

from insiders.programme.hands import AUTO, IN, NEVER, OUT, Entry
from insiders.programme.members import BY_HAND, LEFT

ENTERED, GONE = ("joined", "returned"), "left"  # events of schemas.MOVEMENT that begin and end a stretch
CHANGES = {"joined": "joined", "returned": "returned", "in_grace": "stayed_by_grace", "left": "left"}
BY_HANDS = {IN: "set_in", OUT: "set_out", NEVER: "never", AUTO: "set_auto"}
STRETCH = ["customer_id", "since", "until", "status", "arm", "reason", "rank", "decided"]
CHANGE = ["customer_id", "on_date", "event", "reason", "decided"]


def stretches(members: pd.DataFrame, movement: pd.DataFrame) -> pd.DataFrame:
    """One row per member and stretch: the last as it stands in schemas.MEMBERS, those before from schemas.MOVEMENT."""
    moved = movement[movement["event"].isin([*ENTERED, GONE])].sort_values(["customer_id", "as_of"])
    after = moved.groupby("customer_id").shift(-1)
    entered = moved["event"].isin(ENTERED)
    begun = (
        moved[entered]
        .assign(until=after["as_of"], left_because=after["reason"])[
            ["customer_id", "as_of", "until", "left_because", "decided"]
        ]
        .rename(columns={"as_of": "since"})
    )
    joining = begun[["customer_id", "since", "decided"]]
    last = members.merge(joining, on=["customer_id", "since"], how="left").fillna({"decided": False})
    own = members[["customer_id", "arm", "since"]].rename(columns={"since": "last_since"})
    earlier = begun.merge(own, on="customer_id").query("since < last_since")
    ended = earlier.assign(status=LEFT, reason=earlier["left_because"], rank=pd.NA)
    table = pd.concat([last[STRETCH], ended[STRETCH].astype({"rank": "Int64"})], ignore_index=True)
    return table.astype({"decided": "bool"}).sort_values(["customer_id", "since"], ignore_index=True)


def changes(movement: pd.DataFrame, by_hand: Iterable[Entry]) -> pd.DataFrame:
    """One row per change: by a check, who merely stayed left out; by hand, the last of its kind on a day.

    The words in which somebody gave a reason for a hand stay in the programme's ledger.
    """
    moved = movement[movement["event"].isin(CHANGES)]
    checked = moved.assign(event=moved["event"].map(CHANGES), on_date=moved["as_of"])[CHANGE]
    decided = [(each.customer_id, pd.Timestamp(each.on), BY_HANDS[each.hand], BY_HAND, True) for each in by_hand]
    hands = pd.DataFrame(decided, columns=CHANGE).astype(dict(checked.dtypes)).drop_duplicates(CHANGE[:3])
    return pd.concat([checked, hands], ignore_index=True).sort_values(CHANGE[:3], ignore_index=True)


def checks(changes: pd.DataFrame) -> pd.DataFrame:
    """What `changes` tells of checks, in the form of schemas.MOVEMENT: who merely stayed is left out."""
    events = {change: event for event, change in CHANGES.items()}
    checked = changes[changes["event"].isin(events)]
    moved = checked.assign(event=checked["event"].map(events)).rename(columns={"on_date": "as_of"})
    return moved.sort_values(["customer_id", "as_of"], ignore_index=True)
