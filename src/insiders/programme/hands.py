"""What a person decided about a customer, whatever the score says: in, out, never, or the score again."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal, NamedTuple, get_args

import pandas as pd

from insiders.errors import InputError

Hand = Literal["in", "out", "never", "auto"]
HANDS: tuple[Hand, ...] = get_args(Hand)
IN, OUT, NEVER, AUTO = HANDS
KEPT_OUT = (OUT, NEVER)


class Entry(NamedTuple):
    """One decision; a later one of the same customer replaces it."""

    customer_id: str
    hand: Hand
    why: str
    on: date


def entry(record: Mapping[str, str]) -> Entry:
    """An entry as JSON holds it. Raises InputError where it is none."""
    try:
        hand = next(each for each in HANDS if each == record["hand"])
        return Entry(record["customer_id"], hand, record["why"], date.fromisoformat(record["on"]))
    except (KeyError, StopIteration, ValueError) as error:
        raise InputError(
            f"{record} is no decision about a customer: expected customer_id, hand ({', '.join(HANDS)}), why and on"
        ) from error


def current(entries: Iterable[Entry]) -> "pd.Series[str]":
    """The hand that holds for each customer, by customer_id; nobody whom the score decides again."""
    held = {each.customer_id: each.hand for each in entries}
    named = {customer: hand for customer, hand in held.items() if hand != AUTO}
    return pd.Series(named, dtype="str").rename_axis("customer_id")
