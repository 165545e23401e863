"""Cohorts, the revenue tree and moves of small shops worked out by hand, and what no shop may change."""

from datetime import date, datetime
from decimal import Decimal
from math import fsum, isclose
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insiders.explore import cohorts
from insiders.explore.cohorts import sums as engine_side
from insiders.explore.cohorts.flow import STATUSES, flow
from insiders.explore.cohorts.history import History, periods
from insiders.explore.cohorts.movement import movement
from insiders.explore.cohorts.retention import cohort_matrix, wilson_interval
from insiders.explore.cohorts.revenue_tree import revenue_tree, shapley_values
from insiders.explore.cohorts.sums import Sums
from ledgers import POLICY, real_data, real_transactions

QUIET = 2
# Customer, day, net revenue; a negative one gives money back and is no sale.
BOOK = """
a 2024-01-05 100   a 2024-02-10 50   a 2024-02-20 30   a 2024-05-06 20
b 2024-01-31 10    b 2024-04-01 40   b 2024-03-15 -5
c 2024-02-01 60    c 2024-06-02 70
d 2024-05-20 80    d 2024-04-02 -1
e 2024-03-03 -9
f 2024-06-10 25    f 2024-07-01 999
"""
AS_OF = date(2024, 6, 11)
HISTORY = History(date(2024, 1, 1), AS_OF)


def orders(book: str = BOOK) -> Any:
    words = book.split()
    rows = [
        {
            "customer_id": customer,
            "ordered_at": datetime.fromisoformat(day),
            "net_revenue": Decimal(amount),
            "is_sale": not amount.startswith("-"),
        }
        for customer, day, amount in zip(words[::3], words[1::3], words[2::3], strict=True)
    ]
    kinds = {"ordered_at": pa.timestamp("us"), "net_revenue": pa.decimal128(18, 4), "is_sale": pa.bool_()}
    return ibis.memtable(pa.Table.from_pylist(rows, schema=pa.schema({"customer_id": pa.string(), **kinds})))


def summed(book: str = BOOK, history: History = HISTORY, quiet: int = QUIET) -> Sums:
    from insiders.io import engine

    return of_orders(engine.connect(threads=1), orders(book), history, quiet)


def of_orders(con: Any, orders: Any, history: History, quiet: int) -> Sums:
    from insiders.io import engine

    monthly = engine_side.monthly(orders, history.as_of)
    spans = periods(history)
    sums = Sums(
        *(engine.fetch(con, table(monthly)) for table in (engine_side.cells, engine_side.comebacks)),
        engine.fetch(con, engine_side.moves(monthly, quiet)),
        engine.fetch_records(engine_side.levels(monthly, spans))[0] if spans else None,
    )
    con.disconnect()
    return sums


@pytest.fixture(scope="module")
def sums() -> Sums:
    return summed()


def test_the_matrix_says_who_came_back_and_what_they_brought(sums: Sums) -> None:
    rows = {row["cohort"]: row for row in cohort_matrix(sums, HISTORY)["cohorts"]}
    assert {name: row["customers"] for name, row in rows.items()} == {
        "2024-01": 2,
        "2024-02": 1,
        "2024-05": 1,
        "2024-06": 1,
    }
    january = rows["2024-01"]["months"]
    assert [cell["active"] for cell in january] == [2, 1, 0, 1, 1, 0]
    assert [cell["net_revenue"] for cell in january] == [110.0, 80.0, -5.0, 40.0, 20.0, 0.0]
    assert [cell["share"] for cell in rows["2024-02"]["months"]] == [1.0, 0.0, 0.0, 0.0, 1.0]
    totals = [
        rows["2024-01"][name] for name in ("first_revenue", "later_revenue", "revenue_per_customer", "back_share")
    ]
    assert totals == [110.0, 135.0, 122.5, 1.0]
    assert [cell["is_partial"] for cell in january] == [False] * 5 + [True]


def test_only_the_first_month_is_censored_and_only_the_last_is_partial(sums: Sums) -> None:
    rows = cohort_matrix(sums, HISTORY)["cohorts"]
    assert [row["cohort"] for row in rows if row["is_censored"]] == ["2024-01"]
    assert [row["cohort"] for row in rows if row["is_partial"]] == ["2024-06"]


def test_who_came_back_is_told_only_when_the_time_for_it_is_over(sums: Sums) -> None:
    rows = cohort_matrix(sums, HISTORY)
    assert rows["back_months"] == 3
    assert {row["cohort"]: row["back"] for row in rows["cohorts"]} == {
        "2024-01": 2,
        "2024-02": 0,
        "2024-05": None,
        "2024-06": None,
    }


def test_pooled_retention_leaves_out_what_cannot_tell(sums: Sums) -> None:
    pooled = cohort_matrix(sums, HISTORY)["retention"]
    assert [(row["since"], row["cohorts"], row["customers"], row["active"]) for row in pooled] == [
        (1, 1, 1, 0),
        (2, 1, 1, 0),
        (3, 1, 1, 0),
    ]


def test_the_flow_counts_each_customer_once_a_month(sums: Sums) -> None:
    rows = flow(sums.moves, HISTORY, QUIET)
    by_month = {row["month"]: [row[status]["customers"] for status in STATUSES] for row in rows}
    assert by_month == {  # new, retained, returning, without_order, lapsed
        "2024-01": [2, 0, None, 0, None],
        "2024-02": [1, 1, None, 0, None],
        "2024-03": [0, 0, None, 1, 1],
        "2024-04": [0, 0, 1, 1, 2],
        "2024-05": [1, 0, 1, 0, 0],
        "2024-06": [1, 0, 1, 0, None],
    }
    assert [row["base"] for row in rows] == [None, None, 2, 1, 3, None]
    assert {row["month"]: row["lapsed"]["net_revenue"] for row in rows}["2024-04"] == 140.0


def test_the_months_of_the_flow_add_up_to_all_revenue_of_known_customers(sums: Sums) -> None:
    active = [status for status in STATUSES if status != "lapsed"]
    rows = flow(sums.moves, HISTORY, QUIET)
    total = fsum(row[status]["net_revenue"] or 0.0 for row in rows for status in active)
    assert total == 100 + 50 + 30 + 20 + 10 + 40 - 5 + 60 + 70 + 80 - 1 + 25


def test_nothing_after_as_of_is_known(sums: Sums) -> None:
    later = summed(BOOK + " a 2024-06-11 5 g 2024-06-30 7 e 2024-12-01 3")
    for now, then in zip(sums[:3], later[:3], strict=True):
        order = list(now.columns[:2])
        pd.testing.assert_frame_equal(
            now.sort_values(order, ignore_index=True), then.sort_values(order, ignore_index=True)
        )
    assert sums.levels == later.levels


def test_the_tree_of_two_months_against_two(sums: Sums) -> None:
    spans = periods(HISTORY)
    assert spans == ((date(2024, 2, 1), date(2024, 4, 1)), (date(2024, 4, 1), date(2024, 6, 1)), False)
    tree = revenue_tree(sums.levels, spans)
    assert tree
    earlier, later = tree["earlier"], tree["later"]
    assert (earlier["from"], earlier["to"]) == ("2024-02-01", "2024-03-31")
    assert (earlier["customers"], earlier["orders"], earlier["net_revenue"]) == (2, 3, 135.0)
    assert (later["customers"], later["orders"], later["net_revenue"]) == (3, 3, 139.0)
    assert tree["change"] == 4.0
    assert isclose(fsum(part["amount"] for part in tree["parts"]), 4.0)
    assert isclose(tree["change_error"], np.sqrt((20 - 80) ** 2 + (40 + 5) ** 2 + 60**2 + 79**2))


def test_the_same_months_a_year_before_are_compared_where_they_are_known() -> None:
    spans = periods(History(date(2022, 12, 1), date(2024, 3, 15)))
    assert spans
    assert spans.is_year_apart
    assert (spans.earlier, spans.later) == (
        (date(2022, 12, 1), date(2023, 3, 1)),
        (date(2023, 12, 1), date(2024, 3, 1)),
    )
    assert periods(History(date(2022, 12, 2), date(2024, 3, 15))) != spans


@pytest.mark.parametrize(("first", "as_of"), [((2024, 1, 2), (2024, 2, 1)), ((2024, 1, 1), (2024, 2, 29))])
def test_a_short_history_has_no_tree(first: tuple[int, int, int], as_of: tuple[int, int, int]) -> None:
    assert periods(History(date(*first), date(*as_of))) is None
    assert revenue_tree(None, None) is None


def test_a_period_without_an_order_has_no_tree() -> None:
    history = History(date(2024, 1, 1), date(2024, 3, 1))
    sums = summed("a 2024-01-05 10", history)
    assert sums.levels
    assert revenue_tree(sums.levels, periods(history)) is None


def test_one_customer_on_one_day_is_a_history() -> None:
    history = History(date(2024, 1, 5), date(2024, 1, 6))
    sums = summed("a 2024-01-05 10", history)
    numbers = cohort_matrix(sums, history)
    assert numbers["retention"] == []
    assert [(row["customers"], row["is_censored"], row["is_partial"]) for row in numbers["cohorts"]] == [
        (1, True, True)
    ]
    [month] = flow(sums.moves, history, QUIET)
    assert (month["new"]["customers"], month["base"]) == (1, None)


finite = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)


@settings(deadline=None)
@given(st.lists(st.tuples(finite, finite), min_size=3, max_size=3))
def test_shapley_parts_add_up_whatever_the_signs(factors: list[tuple[float, float]]) -> None:
    before, after = zip(*factors, strict=True)
    scale = max(1.0, *(abs(a) for a in (*before, *after))) ** 3
    assert isclose(fsum(shapley_values(before, after)), np.prod(after) - np.prod(before), abs_tol=1e-9 * scale)


def test_shapley_gives_nothing_to_what_did_not_change_and_all_to_the_only_one_that_did() -> None:
    assert shapley_values((2.0, 3.0, 4.0), (5.0, 3.0, 4.0)) == pytest.approx([36.0, 0.0, 0.0])
    assert shapley_values((1.0, 1.0), (2.0, 2.0)) == pytest.approx([1.5, 1.5])


def test_wilson_is_that_of_the_textbook_and_stays_inside() -> None:
    low, high = wilson_interval(81, 263)  # Newcombe 1998, table I
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson_interval(0, 3)[0] == pytest.approx(0.0)
    assert wilson_interval(3, 3)[1] == pytest.approx(1.0)


def memberships(*rows: str) -> pd.DataFrame:
    """Each row "day customer segment"."""
    frame = pd.DataFrame([row.split() for row in rows], columns=["as_of", "customer_id", "segment"])
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]), is_insider=frame["segment"] == "Top")


def test_movement_pools_the_steps_and_names_who_is_new() -> None:
    moves = movement(
        memberships(
            "2024-01-01 a Top",
            "2024-01-01 b Low",
            "2024-02-01 a Top",
            "2024-02-01 b Top",
            "2024-02-01 c Low",
            "2024-03-01 a Low",
            "2024-03-01 b Top",
            "2024-03-01 c Odd",
        ),
        ["Top", "Low"],
    )
    assert moves
    assert (moves["from"], moves["to"], moves["steps"]) == ("2024-01-01", "2024-03-01", 2)
    assert moves["segments"] == ["Top", "Low", "Odd"]
    moved = {row["segment"]: [each["customers"] for each in row["to"]] for row in moves["rows"]}
    assert moved == {"Top": [2, 1, 0], "Low": [1, 0, 1], None: [0, 1, 0]}
    assert [row["is_new"] for row in moves["rows"]] == [False, False, True]
    assert [each["share"] for each in moves["rows"][0]["to"]] == pytest.approx([2 / 3, 1 / 3, 0.0])


def test_one_day_moves_nobody() -> None:
    assert movement(memberships("2024-01-01 a Top"), ["Top"]) is None
    assert movement(memberships("2024-01-01 a Top").iloc[:0], []) is None


def test_order_of_rows_and_names_of_customers_change_nothing(sums: Sums) -> None:
    words = BOOK.split()
    names = [each.translate(str.maketrans("abcdef", "zwmxkq")) for each in words[::3]]
    rows = list(zip(names, words[1::3], words[2::3], strict=True))
    other = summed(" ".join(" ".join(row) for row in reversed(rows)))
    spans = periods(HISTORY)
    assert cohort_matrix(other, HISTORY) == cohort_matrix(sums, HISTORY)
    assert flow(other.moves, HISTORY, QUIET) == flow(sums.moves, HISTORY, QUIET)
    assert revenue_tree(other.levels, spans) == revenue_tree(sums.levels, spans)


def test_all_of_it_stands_under_the_keys_of_the_answer(sums: Sums) -> None:
    past = cohorts.past(sums, HISTORY, QUIET, memberships("2024-01-01 a Top", "2024-02-01 a Top"), ["Top"])
    assert list(past) == ["cohorts", "quiet_months", "flow", "revenue_tree", "movement"]
    assert past["movement"]["rows"][0]["to"] == [{"segment": "Top", "customers": 1, "share": 1.0}]
    assert past["revenue_tree"] == revenue_tree(sums.levels, periods(HISTORY))


@pytest.mark.real
@real_data
def test_in_the_real_file_nobody_and_no_penny_is_lost() -> None:
    from insiders.io import engine
    from insiders.tables import lines, profile
    from insiders.tables import orders as order_table

    con, history = engine.connect(), History(date(2010, 12, 1), date(2011, 12, 10))
    judged = lines.judge(profile.distinct(ibis.memtable(real_transactions())), POLICY)
    orders = engine.materialize(
        con, order_table.orders(engine.materialize(con, lines.clean(engine.materialize(con, judged))))
    )
    sold = orders.semi_join(orders.filter(orders.is_sale), "customer_id")
    totals = sold.aggregate(customers=sold.customer_id.nunique(), net_revenue=sold.net_revenue.sum())
    customers, net_revenue = engine.fetch_row(con, totals)
    sums = of_orders(con, orders, history, 3)
    rows = flow(sums.moves, history, 3)
    active = [status for status in STATUSES if status != "lapsed"]
    assert sum(row["customers"] for row in cohort_matrix(sums, history)["cohorts"]) == customers
    assert sum(row["new"]["customers"] for row in rows) == customers
    assert fsum(row[status]["net_revenue"] or 0.0 for row in rows for status in active) == pytest.approx(
        float(net_revenue), abs=1e-3
    )
    later = revenue_tree(sums.levels, periods(history))
    assert later
    assert (
        later["later"]["customers"] == rows[-2]["base"]
    )  # active within the three last whole months: one and the same
    assert fsum(part["amount"] for part in later["parts"]) == pytest.approx(later["change"])
