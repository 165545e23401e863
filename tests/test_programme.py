"""The programme month by month: small histories worked out by hand, and that no check knows of a later one."""

import numpy as np
import pandas as pd
import pytest

from insiders.programme import criteria, enter, leave, rules, simulation
from insiders.programme.criteria import Timeline
from insiders.programme.membership import Event
from insiders.programme.rules import Condition
from insiders.programme.simulation import Grid, Terms
from ledgers import POLICY, real_data, real_transactions

OUT, JOINED, BACK, STAYED, GRACE, LEFT = Event
TERMS = Terms(flip_share_max=0.5, flip_months=3, slacks=(0.1, 0.3), graces=(1, 2))
ENTER = ((Condition("net_revenue_180d", 100.0),),)
STARTS = pd.date_range("2011-01-01", periods=6, freq="MS").as_unit("us")


def letters(*rows: str) -> np.ndarray:
    """One row per customer, one letter per month: e enters, s stays, . neither."""
    return np.array([list(row) for row in rows])


def replay(*rows: str, grace: int = 1, months: list[int] | None = None) -> list[list[Event]]:
    marks = letters(*rows)
    numbers = np.array(months or range(marks.shape[1]))
    events = simulation.replay(marks == "e", np.isin(marks, ["e", "s"]), numbers, grace)
    return [[Event(each) for each in row] for row in events]


def test_who_enters_stays_by_the_looser_rule_and_leaves_after_the_grace():
    assert replay("ses..e") == [[OUT, JOINED, STAYED, GRACE, LEFT, BACK]]
    assert replay("e.s..s") == [[JOINED, GRACE, STAYED, GRACE, LEFT, OUT]]  # the looser rule does not let in
    assert replay("......") == [[OUT] * 6]


@pytest.mark.parametrize(("grace", "left"), [(0, 1), (1, 2), (2, 3), (3, 4)])
def test_the_grace_counts_months(grace, left):
    assert replay("e....", grace=grace)[0].index(LEFT) == left


def test_a_second_check_in_one_month_shortens_no_grace():
    assert replay("e..", months=[11, 12, 12]) == [[JOINED, GRACE, GRACE]]
    assert replay("e...", months=[11, 12, 12, 13]) == [[JOINED, GRACE, GRACE, LEFT]]


def test_a_flip_is_a_change_undone_within_the_months():
    events = np.array(
        [
            [JOINED, LEFT, OUT, OUT, OUT, OUT],  # left at once
            [JOINED, STAYED, STAYED, STAYED, LEFT, OUT],  # left after four months
            [JOINED, STAYED, STAYED, STAYED, LEFT, BACK],  # back at once
            [LEFT, OUT, OUT, OUT, BACK, STAYED],  # back after four months
            [JOINED, STAYED, STAYED, GRACE, STAYED, STAYED],
        ]
    )
    is_flip = simulation.flips(events, np.arange(6), within=3)
    assert [row.nonzero()[0].tolist() for row in is_flip] == [[1], [], [5], [], []]


def customers(*rows: list[float | None], starts: pd.DatetimeIndex = STARTS) -> pd.DataFrame:
    """Customers with a revenue of the last 180 days at each month start; None: no customer yet."""
    table = [
        {"customer_id": f"c{number}", "as_of": day, "net_revenue_180d": value}
        for number, row in enumerate(rows)
        for day, value in zip(starts, row, strict=True)
        if value is not None
    ]
    return pd.DataFrame(table)


def test_counts_by_hand():
    history = customers([100, 95, 80, 80, 80, 100], [100] * 6, [None, None, 100, 100, 90, 90], [0] * 6)
    grid = Grid.of(history)
    enters = grid.fill(rules.meets(ENTER, history))
    stays = grid.fill(rules.meets(((Condition("net_revenue_180d", 90.0),),), history))

    events = simulation.replay(enters, stays, grid.months, 1)
    counts = simulation.count_events(events, grid, TERMS)

    assert counts["before"].tolist() == [0, 2, 2, 3, 2, 2]
    assert counts["joined"].tolist() == [2, 0, 1, 0, 0, 0]
    assert counts["in_grace"].tolist() == [0, 0, 1, 0, 0, 0]
    assert counts["left"].tolist() == [0, 0, 0, 1, 0, 0]
    assert counts["returned"].tolist() == [0, 0, 0, 0, 0, 1]
    assert counts["members"].tolist() == [2, 2, 3, 2, 2, 3]
    assert counts["flips"].tolist() == [0, 0, 0, 1, 0, 1]
    assert counts["flip_share"].round(3).tolist()[1:] == [0, 0, 0.333, 0, 0.5]
    assert counts["judged"].tolist() == [False, True, True, True, True, True]  # half of two is one person
    assert simulation.worst_flip_share(counts) == 0.5


def test_members_before_and_after_agree():
    rng = np.random.default_rng(0)
    marks = rng.choice(list("es."), (200, 12))
    grid = Grid(pd.Index(range(200)), pd.date_range("2011-01-01", periods=12, freq="MS"), np.array([0]), np.array([0]))
    events = simulation.replay(marks == "e", marks != ".", grid.months, 1)
    counts = simulation.count_events(events, grid, TERMS)
    assert (counts["before"] == counts["stayed"] + counts["in_grace"] + counts["left"]).all()
    assert (counts["members"] == counts["before"] - counts["left"] + counts["joined"] + counts["returned"]).all()
    assert (counts["joined"].sum()) == (events == Event.JOINED).any(axis=1).sum()  # once each


def test_groups_too_small_for_the_share_and_parts_of_a_month_are_not_judged():
    history = customers(*[[100.0] * 6] * 19, [100, 0, 0, 0, 0, 0])
    strict = TERMS._replace(flip_share_max=0.05)
    policy = simulation.choose(ENTER, history, strict)
    counts = simulation.count_events(policy.events, Grid.of(history), strict)
    assert simulation.worst_flip_share(counts) == 0.05  # 1 of 20
    assert simulation.choose(ENTER, history[history["customer_id"] != "c0"], strict).worst_flip_share is None
    ends = customers(*[[100.0, 100.0]] * 20, starts=pd.DatetimeIndex(["2011-01-01", "2011-01-20"]).as_unit("us"))
    assert simulation.choose(ENTER, ends, strict).worst_flip_share is None


def test_of_conditions_that_keep_still_the_strictest_are_chosen():
    calm = customers([100.0] * 6, [100, 100, 50, 50, 50, 50])
    chosen = simulation.choose(ENTER, calm, TERMS._replace(flip_share_max=1.0))
    assert (chosen.slack, chosen.grace_months) == (0.1, 1)
    restless = customers(*[[100.0, 100, 75, 75, 100, 75]] * 4)
    longer = simulation.choose(ENTER, restless, TERMS._replace(slacks=(0.1,)))
    assert (longer.grace_months, longer.worst_flip_share) == (2, 0)  # which outlast each gap
    looser = simulation.choose(ENTER, restless, TERMS)
    assert (looser.slack, looser.grace_months, looser.worst_flip_share) == (0.3, 1, 0)  # 70 and more stay


def test_where_nothing_keeps_still_the_calmest_is_chosen_and_says_so():
    wild = customers(*[[100.0, 0, 0, 100, 0, 0]] * 4)
    chosen = simulation.choose(ENTER, wild, TERMS._replace(graces=(1,)))
    assert chosen.worst_flip_share == 1
    assert chosen.slack == 0.1


def test_without_months_the_least_is_chosen_and_nothing_judged():
    chosen = simulation.choose(ENTER, customers([100.0], starts=STARTS[:1]), TERMS)
    assert (chosen.slack, chosen.grace_months, chosen.worst_flip_share) == (0.1, 1, None)


def test_what_comes_later_changes_no_earlier_event():
    rng = np.random.default_rng(1)
    history = customers(*rng.choice([0.0, 70.0, 90.0, 100.0], (60, 6)).tolist())
    terms = TERMS._replace(slacks=(0.1,), graces=(1,))
    whole = simulation.choose(ENTER, history, terms).events
    for seen in range(1, 6):
        early = history[history["as_of"] <= STARTS[seen - 1]]
        later = history[history["as_of"] > STARTS[seen - 1]].assign(net_revenue_180d=0.0)
        for each in (early, pd.concat([later, early])):
            assert np.array_equal(simulation.choose(ENTER, each, terms).events[:, :seen], whole[:, :seen])


def test_order_and_names_change_no_count():
    rng = np.random.default_rng(2)
    history = customers(*rng.choice([0.0, 70.0, 90.0, 100.0], (60, 6)).tolist())
    mixed = history.sample(frac=1, random_state=0).assign(customer_id=lambda each: each["customer_id"].str[::-1])
    ours, theirs = (simulation.choose(ENTER, each, TERMS) for each in (history, mixed))
    assert ours[:3] == theirs[:3]
    assert ours[4:] == theirs[4:]
    pd.testing.assert_frame_equal(
        *(simulation.count_events(each.events, Grid.of(history), TERMS) for each in (ours, theirs))
    )


def real_months() -> pd.DataFrame:
    """Customers at every month start of 2011 and at the end, the best 3 % by past and recent revenue as members."""
    from datetime import date

    import ibis

    from insiders.io import engine
    from insiders.tables import features, lines, orders, profile
    from insiders.tables.features import Windows

    con = engine.connect(threads=1)
    clean = engine.materialize(
        con,
        lines.clean(engine.materialize(con, lines.judge(profile.distinct(ibis.memtable(real_transactions())), POLICY))),
    )
    days = [*(date(2011, month, 1) for month in range(1, 13)), date(2011, 12, 10)]
    known = engine.fetch(
        con, features.customers(orders.orders(clean), clean, days, Windows(date(2010, 12, 1), 90, 240))
    )
    worth = known["net_revenue"].clip(lower=0) * known["faded_revenue"].clip(lower=0)
    place = worth.groupby(known["as_of"]).rank(ascending=False, pct=True)
    return known.assign(segment="s", is_insider=place <= 0.03)


@pytest.mark.real
@real_data
def test_on_the_real_data_a_short_rule_describes_the_list_and_few_members_flip():
    months = real_months()
    now = months["as_of"] == months["as_of"].max()
    timeline = Timeline(*(rules.add_figures(months[side].reset_index(drop=True)) for side in (now, ~now)))
    terms = Terms(flip_share_max=0.05, flip_months=3, slacks=(0.1, 0.2, 0.3, 0.4, 0.5), graces=(1, 2, 3))

    learned = criteria.learn(timeline, terms)
    entering, leaving = enter.numbers(learned, timeline), leave.numbers(learned, timeline, terms)

    assert entering["conditions"] <= 5
    assert min(entering["precision"], entering["recall"]) >= 0.9
    assert leaving["worst_flip_share"] <= 0.05
    assert leaving["worst_left_share"] <= 0.05
    without = {row["name"]: row["worst_flip_share"] for row in leaving["without"]}
    assert without["model"] > 0.05  # what conditions to leave are for
