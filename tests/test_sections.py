"""The numbers of the page's own sections: lists of other sizes, rhythm, wholesalers, concentration, shares of all."""

from itertools import pairwise

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import report_tables as shop
from insiders.answers import revenue_share, traits
from insiders.explore import concentration, rhythm, sizes, wholesalers
from insiders.io import engine
from insiders.programme import yardsticks

PEOPLE = shop.members(shop.customers())


def people(**columns: list) -> pd.DataFrame:
    """Ten customers: two Insiders, three Regular, five Occasional, each worth ten less than the one before."""
    ladder = [100.0 - 10 * place for place in range(10)]
    frame = {
        "segment": ["Insiders"] * 2 + ["Regular"] * 3 + ["Occasional"] * 5,
        "cluster": [0] * 2 + [1] * 3 + [2] * 5,
        "is_insider": [True] * 2 + [False] * 8,
        "net_revenue": ladder,
        "gross_revenue": ladder,
        "expected_revenue": [each / 10 for each in ladder],
        "recency_days": [1.0] * 10,
    }
    return pd.DataFrame({**frame, **columns})


# Lists of other sizes.


def test_a_list_down_to_a_segment_holds_all_that_rank_before_it() -> None:
    steps = sizes.by_segment(people())
    assert [(step["segment"], step["count"]) for step in steps] == [("Insiders", 2), ("Regular", 5), ("Occasional", 10)]
    assert [step["net_revenue_share"] for step in steps] == pytest.approx([190 / 550, 400 / 550, 1])
    assert [step["expected_revenue"] for step in steps] == pytest.approx([19, 40, 55])
    own = sizes.own(people())
    assert own is not None
    assert own["count"] == 2
    assert own["net_revenue_share"] == pytest.approx(190 / 550)


def test_those_in_no_cluster_rank_last() -> None:
    nobody = people(cluster=[-1] * 2 + [1] * 3 + [0] * 5, is_insider=[False] * 10)
    assert [step["segment"] for step in sizes.by_segment(nobody)] == ["Occasional", "Regular", "Insiders"]
    assert sizes.own(nobody) is None


def test_a_limit_lets_in_whole_customers_the_best_first() -> None:
    shuffled = people().sample(frac=1, random_state=3)
    found = sizes.by_rank(shuffled, [0.05, 0.1, 0.35, 1.0])
    assert [(row["limit"], row["count"]) for row in found] == [(0.1, 1), (0.35, 3), (1.0, 10)]
    assert [row["expected_revenue"] for row in found] == pytest.approx([10, 27, 55])
    assert [row["last_expected"] for row in found] == [10.0, 8.0, 1.0]


def test_a_share_of_nothing_is_not_known() -> None:
    refunds = people(net_revenue=[-1.0] * 10)
    assert sizes.by_segment(refunds)[0]["net_revenue_share"] is None


def test_curves_rise_with_the_size_and_pass_through_the_table() -> None:
    rows = shop.usual()["how_many"]["curve"]
    expected = [row["expected_share"] for row in rows]
    assert expected == sorted(expected)
    at = {row["customer_share"]: row["expected_share"] for row in rows}
    [tenth] = [row for row in shop.usual()["how_many"]["sizes"] if row["limit"] == 0.1]
    assert at[0.1] == tenth["expected_share"]


def test_the_list_itself_is_one_of_the_steps() -> None:
    told = shop.usual()["how_many"]
    assert told["own"]["count"] == told["count"]
    assert told["own"]["net_revenue_share"] == pytest.approx(shop.usual()["revenue_share"]["net_revenue_share"])


# Days and hours.


def test_orders_count_at_their_weekday_and_hour() -> None:
    rows = [
        ("a", "2011-12-05 09:59", True),
        ("a", "2011-12-05 09:00", True),
        ("b", "2011-12-09 12:00", True),
        ("b", "2011-12-09 12:00", False),  # a credit note
        ("b", "2011-12-10 00:00", True),  # not known yet
    ]
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "is_sale"])
    orders["ordered_at"] = pd.to_datetime(orders["ordered_at"])
    placed = pd.DataFrame({"customer_id": ["a", "b"], "is_insider": [True, False]})
    found = rhythm.by_hour(ibis.memtable(orders), ibis.memtable(placed), shop.AS_OF.date())
    counts = engine.fetch(engine.connect(), found)
    assert counts.to_dict("records") == [
        {"is_insider": True, "weekday": 0, "hour": 9, "orders": 2},
        {"is_insider": False, "weekday": 4, "hour": 12, "orders": 1},
    ]


def test_shares_of_each_side_add_up_to_one() -> None:
    assert rhythm.shares(shop.rhythm(), "weekday") == [
        {"weekday": 0, "insiders": 1.0, "others": 0.75},
        {"weekday": 4, "insiders": 0.0, "others": 0.25},
    ]
    assert rhythm.busiest(rhythm.shares(shop.rhythm(), "hour"), "hour") == 9


def test_days_without_a_time_tell_no_hour() -> None:
    assert rhythm.shares(shop.rhythm().assign(hour=0), "hour") == []
    assert rhythm.busiest([], "hour") is None


def test_without_insiders_their_shares_are_nought() -> None:
    others = shop.rhythm().query("not is_insider").reset_index(drop=True)
    assert {row["insiders"] for row in rhythm.shares(others, "weekday")} == {0.0}


# Wholesalers.


def test_wholesalers_lie_far_out() -> None:
    """Quartiles 12 and 18: the limit lies 3 x 6 above the upper one, at 36; one of the two beyond it is an Insider."""
    pieces = [400.0, 18, 18, 15, 15, 12, 12, 12, 12, 37]
    frame = people(items_per_order=pieces, order_count=[1.0] * 10, average_order_value=[1.0] * 10)
    assert wholesalers.threshold(frame) == 36
    told = wholesalers.numbers(frame)
    assert (told["pieces_above"], told["count"], told["insiders"]) == (36, 2, 1)
    assert told["of_insiders_net_revenue"] == pytest.approx(100 / 190)
    assert told["net_revenue_share"] == pytest.approx(110 / 550)
    assert [(row["group"], row["customers"], row["items_per_order"]) for row in told["rows"]] == [
        ("wholesalers", 1, 400.0),
        ("without", 1, 18.0),
    ]


def test_where_orders_do_not_differ_nobody_is_a_wholesaler() -> None:
    frame = people(items_per_order=[5.0] * 9 + [500.0], order_count=[1.0] * 10, average_order_value=[1.0] * 10)
    told = wholesalers.numbers(frame)
    assert (told["pieces_above"], told["count"], told["insiders"]) == (None, 0, 0)


# Concentration.

REVENUES = st.lists(st.integers(0, 10_000), min_size=1, max_size=40).filter(any)


@settings(deadline=None)
@given(REVENUES)
def test_gini_is_the_mean_difference_of_all_pairs(revenues: list[int]) -> None:
    """Half the relative mean absolute difference."""
    values = np.array(revenues, float)
    pairs = np.abs(values[:, None] - values[None, :]).mean()
    assert concentration.gini(pd.Series(values)) == pytest.approx(pairs / (2 * values.mean()), abs=1e-9)


def test_gini_without_revenue_is_not_known() -> None:
    assert concentration.gini(pd.Series([0.0, -3.0])) is None
    assert concentration.gini(pd.Series([2.0, 2.0])) == 0


@settings(deadline=None)
@given(REVENUES)
def test_the_curve_starts_at_nothing_ends_with_all_and_never_falls(revenues: list[int]) -> None:
    rows = concentration.lorenz(pd.Series(revenues, dtype=float))
    assert rows[0] == {"customers": 0.0, "held": 0.0}
    assert rows[-1] == {"customers": 1.0, "held": pytest.approx(1)}
    assert all(now["held"] >= before["held"] - 1e-12 for before, now in pairwise(rows))


def test_the_best_customers_hold_their_part() -> None:
    assert revenue_share.held(people()["net_revenue"], 0.2) == pytest.approx(190 / 550)
    assert revenue_share.held(people()["net_revenue"] * 0, 0.2) is None


# Shares of all revenue.


def test_what_was_sold_without_an_id_counts_in_shares_of_all() -> None:
    told = shop.usual()["revenue_share"]
    assert told["gross_revenue_share_of_all"] == pytest.approx(
        told["insiders_gross_revenue"] / (told["gross_revenue"] + 40_000), abs=1e-6
    )
    assert told["net_revenue_share_of_all"] == pytest.approx(
        told["insiders_net_revenue"] / (told["net_revenue"] + 39_000.5), abs=1e-6
    )


def test_without_anonymous_sales_the_shares_are_the_same() -> None:
    ledger = shop.ledger().query("rule == 'delivered'")
    told = revenue_share.of_all(PEOPLE, ledger)
    assert told["net_revenue_share_of_all"] == pytest.approx(shop.usual()["revenue_share"]["net_revenue_share"])


def test_months_tell_the_share_and_only_whole_ones_are_compared() -> None:
    rows = revenue_share.by_month(
        pd.DataFrame(
            {
                "month": pd.to_datetime(["2011-01-01", "2011-02-01", "2011-03-01"]),
                "insiders": [1.0, 0.0, 9.0],
                "others": [3.0, 0.0, 1.0],
                "is_partial": [False, False, True],
            }
        )
    )
    assert [row["share"] for row in rows] == [0.25, None, 0.9]
    assert revenue_share._extreme(rows, max) == rows[0]
    assert revenue_share._extreme(rows[1:], max) is None


# Traits and reasons.


def test_countries_are_those_of_most_insiders() -> None:
    frame = people(country=["FR", None, "UK", "UK", "UK", "UK", "UK", "UK", "FR", "DE"])
    assert traits.countries(frame) == [
        {"country": "FR", "insiders": 1.0, "others": 0.125},
        {"country": "UK", "insiders": 0.0, "others": 0.75},
        {"country": "DE", "insiders": 0.0, "others": 0.125},
    ]


def test_returns_of_a_side() -> None:
    side = pd.DataFrame({"gross_revenue": [10.0, 30.0], "returned_revenue": [0.0, 4.0]})
    assert traits.returns(side) == {"customers": 0.5, "revenue": 0.1}
    assert traits.returns(side.head(0)) == {"customers": None, "revenue": None}


def test_insiders_stand_against_each_other_segment() -> None:
    rows = shop.usual()["traits"]["against"]
    assert {row["segment"] for row in rows} == {"Segment 2", "Segment 3"}
    for row in rows:
        spent = next(each for each in row["traits"] if each["trait"] == "net_revenue")
        ours = PEOPLE.loc[PEOPLE["is_insider"], "net_revenue"].to_numpy()
        theirs = PEOPLE.loc[PEOPLE["segment"] == row["segment"], "net_revenue"].to_numpy()
        assert spent["median"] == pytest.approx(np.median(theirs))
        assert spent["delta"] == pytest.approx(np.sign(ours[:, None] - theirs[None, :]).mean(), abs=1e-6)


def test_a_reason_is_where_a_customer_is_furthest_ahead_of_the_typical_insider() -> None:
    typical = pd.Series(
        {
            "net_revenue": 100.0,
            "order_count": 10.0,
            "recency_days": 8.0,
            "average_order_value": 10.0,
            "distinct_product_count": 20.0,
        }
    )
    assert (
        yardsticks.because(typical.to_dict() | {"order_count": 30.0, "net_revenue": 200.0}, typical)["trait"]
        == "order_count"
    )
    assert yardsticks.because(typical.to_dict() | {"recency_days": 1.0}, typical) == {
        "trait": "recency_days",
        "value": 1.0,
        "typical": 8.0,
    }
