"""Stretches and changes of a membership, by a ledger of three customers worked out by hand."""

from datetime import date

import pandas as pd

from insiders.programme import stretches
from insiders.programme.hands import Entry

JAN, FEB, MAR, APR = pd.date_range("2025-01-01", periods=4, freq="MS").as_unit("us")
# a was in, left and came back; b joined late, and is in grace; c was in for a month.
MOVEMENT = pd.DataFrame(
    [
        ("a", JAN, "joined", "by_rank", False),
        ("c", JAN, "joined", "by_rank", False),
        ("a", FEB, "left", "fell", False),
        ("c", FEB, "left", "no_place", False),
        ("b", FEB, "joined", "by_rank", False),
        ("a", MAR, "returned", "by_rank", True),
        ("b", MAR, "stayed", "by_band", True),
        ("b", APR, "in_grace", "by_grace", False),
        ("a", APR, "stayed", "by_rank", False),
    ],
    columns=["customer_id", "as_of", "event", "reason", "decided"],
).astype({"customer_id": "str", "event": "str", "reason": "str"})
MEMBERS = pd.DataFrame(
    {
        "customer_id": pd.array(["a", "b", "c"], "str"),
        "status": ["member", "grace", "left"],
        "since": [MAR, FEB, JAN],
        "until": [pd.NaT, pd.Timestamp("2025-05-01"), FEB],
        "reason": ["by_rank", "by_grace", "no_place"],
        "arm": ["invited", "held_out", "invited"],
        "rank": pd.array([1, 2, None], "Int64"),
    }
).astype({"until": "datetime64[us]"})


def plain(frame: pd.DataFrame) -> list[tuple]:
    days = frame.select_dtypes("datetime").columns
    texts = frame.assign(**{name: frame[name].dt.strftime("%m-%d") for name in days}).astype(object)
    return [tuple(row) for row in texts.where(texts.notna(), None).itertuples(index=False)]


def test_each_stretch_has_its_beginning_its_end_and_its_reason() -> None:
    assert plain(stretches.stretches(MEMBERS, MOVEMENT)) == [
        ("a", "01-01", "02-01", "left", "invited", "fell", None, False),
        ("a", "03-01", None, "member", "invited", "by_rank", 1, True),
        ("b", "02-01", "05-01", "grace", "held_out", "by_grace", 2, False),
        ("c", "01-01", "02-01", "left", "invited", "no_place", None, False),
    ]


def test_a_programme_without_members_has_no_stretch() -> None:
    assert stretches.stretches(MEMBERS.iloc[:0], MOVEMENT.iloc[:0]).empty


def test_who_merely_stays_is_no_change_and_hands_are() -> None:
    by_hand = [
        Entry("b", "in", "a partner", date(2025, 3, 15)),
        Entry("b", "in", "told twice", date(2025, 3, 15)),
        Entry("c", "never", "objected", date(2025, 3, 20)),
    ]
    assert plain(stretches.changes(MOVEMENT, by_hand)) == [
        ("a", "01-01", "joined", "by_rank", False),
        ("a", "02-01", "left", "fell", False),
        ("a", "03-01", "returned", "by_rank", True),
        ("b", "02-01", "joined", "by_rank", False),
        ("b", "03-15", "set_in", "by_hand", True),
        ("b", "04-01", "stayed_by_grace", "by_grace", False),
        ("c", "01-01", "joined", "by_rank", False),
        ("c", "02-01", "left", "no_place", False),
        ("c", "03-20", "never", "by_hand", True),
    ]
    assert len(stretches.changes(MOVEMENT, [])) == 7
