"""The programme check by check: what is told of a movement, and what it was on the real data."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from insiders.io import engine
from insiders.programme import criteria, enter, leave, members, movement, proposal, stillness
from insiders.programme.arms import Lottery
from insiders.programme.criteria import Timeline
from insiders.programme.decisions import DecisionTerms
from insiders.programme.leave import Programme
from insiders.programme.membership import Event
from insiders.programme.movement import Walk
from insiders.tables import features, lines, orders, profile
from insiders.tables.features import Windows
from ledgers import POLICY, real_data, real_transactions

OUT, JOINED, BACK, STAYED, GRACE, LEFT = Event
STARTS = pd.date_range("2011-01-01", periods=3, freq="MS").as_unit("us")
STILL = stillness.StillnessTerms(0.03, 3, 0.1, (1.0, 1.1, 1.25, 1.5, 2.0), (0, 1, 2))


def moved(*rows: tuple[str, int, str, str, bool]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["customer_id", "as_of", "event", "reason", "decided"])
    return table.assign(as_of=STARTS[table["as_of"]])


MOVEMENT = moved(
    ("a", 0, "joined", "by_rank", False),
    ("b", 0, "joined", "by_rank", False),
    ("a", 1, "in_grace", "by_grace", True),
    ("b", 1, "left", "fell", True),
    ("c", 1, "joined", "by_rank", True),
    ("a", 2, "left", "fell", True),
    ("b", 2, "returned", "by_rank", True),
    ("c", 2, "in_grace", "by_grace", True),
)


def test_a_walk_has_one_event_per_customer_and_check():
    walk = Walk.of(MOVEMENT)
    assert walk.customers.tolist() == ["a", "b", "c"]
    assert walk.events.tolist() == [[JOINED, GRACE, LEFT], [JOINED, LEFT, BACK], [OUT, JOINED, GRACE]]
    assert walk.decided == [False, True, True]


def test_a_programme_without_members_has_no_walk():
    walk = Walk.of(MOVEMENT.iloc[:0])
    assert walk.events.shape == (0, 0)
    assert stillness.count_events(walk.events, walk.days, STILL).empty
    assert movement.latest(MOVEMENT.iloc[:0]) == movement.reasons(MOVEMENT.iloc[:0]) == []


def test_changes_are_counted_by_check_and_reason():
    counted = {(row["as_of"], row["event"], row["reason"]): row["customers"] for row in movement.reasons(MOVEMENT)}
    assert counted == {
        ("2011-01-01", "joined", "by_rank"): 2,
        ("2011-02-01", "joined", "by_rank"): 1,
        ("2011-02-01", "left", "fell"): 1,
        ("2011-03-01", "left", "fell"): 1,
        ("2011-03-01", "returned", "by_rank"): 1,
    }


def test_the_latest_changes_come_first_and_only_today_s_grace_counts():
    latest = [(row["event"], row["customer_id"], row["decided"]) for row in movement.latest(MOVEMENT)]
    assert latest == [
        *(("left", "a", True), ("left", "b", True), ("in_grace", "c", True), ("returned", "b", True)),
        *(("joined", "c", True), ("joined", "a", False), ("joined", "b", False)),
    ]


def test_of_lists_whoever_is_on_one_is_a_member():
    listed = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 0]], bool)
    assert movement.of_lists(listed).tolist() == [[JOINED, LEFT, BACK], [OUT, JOINED, STAYED], [OUT, OUT, OUT]]


def real_months() -> pd.DataFrame:
    """Customers at every month start of 2011 and at the end, scored by past and recent revenue."""
    con = engine.connect(threads=1)
    clean = engine.materialize(
        con,
        lines.clean(engine.materialize(con, lines.judge(profile.distinct(ibis.memtable(real_transactions())), POLICY))),
    )
    days = [*(date(2011, month, 1) for month in range(1, 13)), date(2011, 12, 10)]
    known = engine.fetch(
        con, features.customers(orders.orders(clean), clean, days, Windows(date(2010, 12, 1), 90, 240))
    )
    score = np.sqrt(known["net_revenue"].clip(lower=0) * known["faded_revenue"].clip(lower=0))
    return known.assign(score=score, segment="s", next_revenue=np.nan)


@pytest.mark.real
@real_data
def test_on_the_real_data_short_words_describe_the_members_and_few_flip():
    months = [rows.reset_index(drop=True) for _, rows in real_months().groupby("as_of")]
    made = proposal.from_past(
        months[:-1], months[-1], 0.03, proposal.ProposalTerms(STILL, Lottery(7, 0.2), pd.Series({}, dtype="str"))
    )
    placed = [
        known.assign(
            is_insider=known["customer_id"].isin(members.inside(table).index),
            place=known["score"].rank(ascending=False, method="first"),
        )
        for known, table in zip(months, made.tables.values(), strict=True)
    ]
    timeline = Timeline(placed[-1], pd.concat(placed[:-1]))
    terms = DecisionTerms(
        size=made.last.size,
        customers=len(months[-1]),
        band=made.policy.band,
        border=made.border,
        grace_months=made.policy.grace_months,
        rule="",
        model_version="",
        release="",
    )

    learned = criteria.learn(timeline, terms)
    entering = enter.numbers(learned, timeline)
    leaving = leave.numbers(learned, timeline, Programme(proposal.movement(made.tables, decided=False), terms, STILL))

    assert entering["conditions"] <= 5
    assert min(entering["precision"], entering["recall"]) >= 0.85
    assert leaving["worst_flip_share"] <= 0.03
    assert leaving["worst_left_share"] <= 0.1
    assert leaving["without"]["worst_flip_share"] > 0.05  # what the looser border is for
