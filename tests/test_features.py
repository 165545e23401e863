"""Customers as of a date: the definitions, and that nothing later is known."""

import math
import random
from datetime import date, datetime, timedelta

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from insiders import schemas
from insiders.errors import InputError
from insiders.io import engine
from insiders.tables import cutoffs, features, lines, orders, profile
from insiders.tables.cutoffs import CutoffPlan
from insiders.tables.features import Windows
from ledgers import POLICY, cleaned, fetched, real_data, real_transactions, transaction

START = date(2023, 1, 1)
HORIZON, FADE = 90, 240

ROWS = [
    transaction("1 APPLE 10 2023-01-01T09:00 1.00 ann", country="France"),
    transaction("1 PEAR 2 2023-01-01T09:00 5.00 ann", country="France"),
    transaction("2 APPLE 4 2023-01-01T17:00 2.50 ann", country="France"),
    transaction("C3 APPLE -12 2023-01-11T10:00 1.00 ann"),
    transaction("4 FIG 1 2023-01-21T23:59 70.00 ann"),
    transaction("C5 KIWI -1 2023-01-22T10:00 3.00 ann"),
    transaction("C5 D -1 2023-01-22T10:00 5.00 ann"),
    transaction("6 FIG 3 2023-02-20T10:00 10.00 ann"),
    transaction("7 APPLE 1 2023-01-30T10:00 2.00 bob"),
    transaction("C8 APPLE -1 2023-01-30T11:00 2.00 bob"),
    transaction("C9 APPLE -1 2023-01-30T12:00 2.00 cat"),
]
AS_OF = date(2023, 1, 31)


def customers(rows, *days, start=START):
    lines = cleaned(rows)
    found = features.customers(orders.orders(lines), lines, days, Windows(start, HORIZON, FADE))
    return fetched(found, "as_of", "customer_id")


def fade(days):
    return round(math.exp(-days / FADE), 6)


def test_every_feature_by_hand():
    found = customers(ROWS, AS_OF)
    schemas.CUSTOMERS.validate(found)
    assert found["customer_id"].tolist() == ["ann", "bob"]  # cat never bought: no customer
    ann, bob = found.iloc[0].to_dict(), found.iloc[1].to_dict()
    assert [ann.pop(name) for name in ("customer_id", "as_of", "country", "products")] == [
        "ann",
        pd.Timestamp(AS_OF),
        "United Kingdom",
        "APPLE\nFIG\nPEAR",
    ]
    assert ann == pytest.approx(
        {
            "recency_days": 10,
            "tenure_days": 30,
            "order_count": 3,
            "orders_per_month": 3,
            "gap_mean_days": 20,
            "gap_std_days": math.nan,
            "gross_revenue": 100,
            "net_revenue": 80,
            "returned_revenue": 20,
            "unmatched_revenue": 8,
            "returned_revenue_share": 0.2,
            "returned_item_share": 13 / 17,
            "average_order_value": 80 / 3,
            "items_per_order": 5 / 3,
            "products_per_order": 4 / 3,
            "distinct_product_count": 3,
            "order_count_90d": 3,
            "order_count_180d": 3,
            "net_revenue_90d": 80,
            "net_revenue_180d": 80,
            "net_revenue_365d": 80,
            "faded_revenue": 30 * fade(30) - 12 * fade(20) + 70 * fade(10) - 8 * fade(9),
            "largest_order_share": 0.7,
            "same_season_revenue": math.nan,
        },
        rel=1e-12,
        nan_ok=True,
    )
    assert list(found.columns) == list(schemas.CUSTOMERS.columns)
    assert [bob[name] for name in ("net_revenue", "returned_revenue_share", "items_per_order")] == [0, 1, 0]
    assert math.isnan(bob["gap_mean_days"])
    assert bob["orders_per_month"] == 1  # one day is counted as a month, or every newcomer would come daily


def test_products_are_those_sold_before_the_day_sorted_and_without_a_separator_inside():
    codes = ["b 1", "A", "B", "A", "10", "\u00e9", "two\nlines"]
    rows = [transaction(f"{n} X 1 2023-01-0{n + 1} 1 ann", product_code=code) for n, code in enumerate(codes)] + [
        transaction("C9 RETURNED -1 2023-01-02 1 ann")
    ]
    found = customers(rows, date(2023, 1, 4), date(2023, 2, 1))
    assert found["products"].tolist() == ["A\nB\nb 1", "10\nA\nB\nb 1\ntwo lines\n\u00e9"]
    assert found["distinct_product_count"].tolist() == [3, 6]


def test_gaps_are_between_order_days():
    rows = [transaction(f"{n} A 1 {at} 1 ann") for n, at in enumerate(["2023-01-01", "2023-01-03", "2023-01-09"])]
    again = transaction("9 B 1 2023-01-03T20:00 1 ann")
    found = customers([*rows, again], date(2023, 2, 1)).iloc[0]
    assert (found["order_count"], found["gap_mean_days"]) == (4, 4)
    assert found["gap_std_days"] == pytest.approx(math.sqrt(8))  # sample deviation of 2 and 6


def test_windows_begin_and_end_at_midnight():
    as_of = date(2024, 6, 1)
    days = [as_of - timedelta(days=age) for age in (1, 90, 91, 180, 181, 275, 276, 365, 366)]
    rows = [transaction(f"{n} A {2**n} {day}T00:00 1 ann") for n, day in enumerate(days)]
    found = customers(rows, as_of).iloc[0]
    assert (found["order_count_90d"], found["order_count_180d"], found["order_count"]) == (2, 4, 9)
    assert (found["net_revenue_90d"], found["net_revenue_180d"]) == (0b11, 0b1111)
    assert found["net_revenue_365d"] == 0b11111111
    assert found["same_season_revenue"] == 0b011000000 + 0b000000000
    assert math.isnan(customers(rows, as_of, start=as_of - timedelta(days=364)).iloc[0]["same_season_revenue"])


LATER = [
    transaction("4 FIG 5 2023-01-31T00:00 70.00 ann", country="Spain"),  # the invoice of the evening before goes on
    transaction("10 GRAPE 9 2023-02-01T00:00 1.00 bob", country="Spain"),
    transaction("C11 APPLE -1 2023-02-01T00:00 1.00 bob", country="Spain"),
    transaction("12 APPLE 1 2023-02-02T00:00 1.00 cat"),
    transaction("13 APPLE 1 2023-02-02T00:00 1.00 dan"),
]


def test_later_rows_change_nothing():
    known = customers([row for row in ROWS if row["invoiced_at"].date() < AS_OF], AS_OF)
    pd.testing.assert_frame_equal(customers([*ROWS, *LATER], AS_OF), known)


def test_several_days_at_once_are_each_day_alone():
    days = [AS_OF, date(2023, 1, 2), date(2023, 3, 1)]
    alone = pd.concat([customers([*ROWS, *LATER], day) for day in sorted(days)], ignore_index=True)
    pd.testing.assert_frame_equal(customers([*ROWS, *LATER], *days), alone)


def test_neither_the_order_of_rows_nor_names_matter():
    shuffled = random.Random(7).sample([*ROWS, *LATER], len(ROWS) + len(LATER))
    expected = customers([*ROWS, *LATER], date(2023, 3, 1))
    pd.testing.assert_frame_equal(customers(shuffled, date(2023, 3, 1)), expected)
    names = {"ann": "z", "bob": "y", "cat": "x", "dan": "w"}
    renamed = customers([{**row, "customer_id": names[row["customer_id"]]} for row in shuffled], date(2023, 3, 1))
    renamed["customer_id"] = renamed["customer_id"].map({new: old for old, new in names.items()})
    pd.testing.assert_frame_equal(renamed.sort_values("customer_id", ignore_index=True), expected)


def test_next_revenue_is_net_and_ends_with_the_horizon():
    day = date(2023, 1, 10)
    lines = cleaned([*ROWS, transaction("20 A 1 2023-04-09T23:59 1 ann"), transaction("21 A 1 2023-04-10 1 ann")])
    by_order = orders.orders(lines)
    known = features.customers(by_order, lines, [day], Windows(START, HORIZON, FADE))
    found = fetched(features.with_next_revenue(known, by_order, [day], HORIZON))
    assert found["next_revenue"].tolist() == [-12 + 70 - 8 + 30 + 1]
    still = fetched(
        features.with_next_revenue(known, by_order.filter(by_order.ordered_at.date() < day), [day], HORIZON)
    )
    assert still["next_revenue"].tolist() == [0]


def daily(first: date, last: date = date(2023, 12, 31)) -> list[date]:
    return [first + timedelta(days=day) for day in range((last - first).days + 1)]


def test_cutoffs_are_laid_backwards_and_keep_their_history():
    found = cutoffs.cutoffs(daily(date(2023, 1, 1)), date(2024, 1, 1), CutoffPlan(90, 30, 3, 30))
    assert found.validation == date(2023, 10, 3)
    assert found.origins == (date(2023, 7, 5), date(2023, 6, 5), date(2023, 5, 6))
    assert found.training == (date(2023, 7, 5), date(2023, 4, 6), date(2023, 3, 7), date(2023, 2, 5))
    assert found.days == sorted({found.validation, *found.origins, *found.training})
    late = cutoffs.cutoffs(daily(date(2023, 3, 1)), date(2024, 1, 1), CutoffPlan(90, 30, 3, 30))
    assert late.training == (date(2023, 7, 5), date(2023, 4, 6))


def test_cutoffs_lie_where_the_shop_traded():
    plan = CutoffPlan(90, 30, 3, 30)
    seasons = [day for day in daily(date(2022, 1, 1)) if day.month >= 11]
    found = cutoffs.cutoffs(seasons, date(2024, 1, 1), plan)
    assert found.validation == date(2023, 10, 3)
    assert found.origins == (date(2022, 12, 7),)  # the season of a year ago; after any later day nothing was sold
    closed = [day for day in daily(date(2022, 1, 1)) if not date(2023, 3, 1) <= day < date(2023, 7, 10)]
    assert cutoffs.cutoffs(closed, date(2024, 1, 1), plan).origins == (
        date(2023, 7, 5),
        date(2023, 6, 5),
        date(2023, 5, 6),
    )
    longer = [day for day in closed if not date(2023, 2, 1) <= day < date(2023, 8, 10)]
    assert cutoffs.cutoffs(longer, date(2024, 1, 1), plan).origins == (
        date(2023, 7, 5),
        date(2023, 6, 5),
        date(2023, 1, 6),
    )


def test_trading_days_are_those_with_a_sale():
    lines = cleaned([transaction("1 TEA 1 2023-01-05 1.00 ann"), transaction("C2 TEA -1 2023-01-09 1.00 ann")])
    assert fetched(cutoffs.trading_days(lines))["day"].tolist() == [date(2023, 1, 5)]


def test_the_history_begins_each_month_and_ends_before_today():
    found = cutoffs.month_starts(date(2023, 1, 1), date(2024, 1, 1), history_days=30, months=12)
    assert found == [date(2023, month, 1) for month in range(2, 13)]  # January 31 has 30 days behind it, January 1 none
    assert cutoffs.month_starts(date(2023, 1, 1), date(2024, 1, 15), 30, 2) == [date(2023, 12, 1), date(2024, 1, 1)]
    assert cutoffs.month_starts(date(2023, 1, 1), date(2024, 1, 15), 30, 0) == []


def test_a_history_too_short_to_judge_by_is_refused():
    cutoffs.cutoffs(daily(date(2023, 1, 1)), date(2023, 5, 1), CutoffPlan(90, 30, 3, 30))
    with pytest.raises(InputError, match=r"119 days .* but 120 are needed"):
        cutoffs.cutoffs(daily(date(2023, 1, 1)), date(2023, 4, 30), CutoffPlan(90, 30, 3, 30))


def test_as_of_is_the_day_after_the_last_line_unless_declared():
    first, last = date(2023, 1, 1), date(2023, 12, 31)
    assert cutoffs.resolve_as_of(None, first, last, 90) == date(2024, 1, 1)
    assert cutoffs.resolve_as_of(date(2023, 6, 1), first, last, 90) == date(2023, 6, 1)
    assert cutoffs.resolve_as_of(date(2024, 3, 30), first, last, 90) == date(2024, 3, 30)


@pytest.mark.parametrize("declared", [date(2022, 5, 1), date(2023, 1, 1), date(2024, 3, 31)])
def test_an_as_of_that_leaves_nothing_to_look_at_is_refused(declared):
    with pytest.raises(InputError, match=f"as_of is {declared}, but the lines are from 2023-01-01 to 2023-12-31"):
        cutoffs.resolve_as_of(declared, date(2023, 1, 1), date(2023, 12, 31), 90)


def test_the_search_never_sees_the_last_period():
    found = cutoffs.cutoffs(daily(START), date(2024, 1, 1), CutoffPlan(90, 30, 1, 30))
    days = [*found.days, date(2024, 1, 1)]
    rows = pd.DataFrame({"customer_id": "ann", "as_of": pd.to_datetime(days), "next_revenue": range(len(days))})
    con = engine.connect(threads=1)
    everyone = engine.scan_frame(con, rows)
    split = cutoffs.split(everyone, found, date(2024, 1, 1), 90)
    now, snapshots, holdout = (engine.fetch(con, each) for each in split)
    assert list(now) == ["customer_id", "as_of"]
    assert now["as_of"].tolist() == [pd.Timestamp("2024-01-01")]
    assert snapshots["as_of"].max() == pd.Timestamp(found.validation)
    assert snapshots.set_index("as_of")["next_revenue"].isna().sum() == 1  # at the validation date itself
    assert holdout["next_revenue"].tolist() == [2]
    past = engine.fetch(con, cutoffs.past(everyone, found.days))
    assert sorted(past["as_of"]) == sorted(snapshots["as_of"])
    assert engine.fetch(con, cutoffs.past(everyone, [])).empty


@pytest.mark.real
@real_data
def test_in_the_real_file_later_rows_change_nothing():
    day = date(2011, 9, 11)
    con = engine.connect()

    def known(transactions):
        clean = engine.materialize(
            con, lines.clean(engine.materialize(con, lines.judge(profile.distinct(transactions), POLICY)))
        )
        found = features.customers(
            engine.materialize(con, orders.orders(clean)), clean, [day], Windows(START, HORIZON, FADE)
        )
        return engine.fetch(con, found.order_by("customer_id"))

    whole = real_transactions()
    early = whole.filter(pc.less(whole["invoiced_at"], pa.scalar(datetime(2011, 9, 11), whole["invoiced_at"].type)))
    assert early.num_rows < whole.num_rows
    pd.testing.assert_frame_equal(known(ibis.memtable(early)), known(ibis.memtable(whole)), check_exact=True)
    con.disconnect()
