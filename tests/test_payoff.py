"""What lists of each size would earn, worked out by hand."""

import numpy as np
import pytest

import report_tables as shop
from insiders.programme import payoff
from insiders.programme.actions import Action, Condition, Cost, Uplift
from insiders.programme.size import Place

TENTH = Place(cost=5, margin_share=0.5, uplift=0.2)  # a tenth of what is expected, less 5
EXPECTED = np.array([10.0, 200.0, 49.0, 100.0, 51.0])


def offer(per_customer: float, *, conditions: tuple[Condition, ...] = (), for_insiders: bool = True) -> Action:
    return Action("perks", for_insiders, conditions, Cost(per_customer, 0, 0), Uplift(0, 0.1))


def test_profit_peaks_where_the_last_place_earns_its_cost() -> None:
    assert payoff.peak(TENTH, EXPECTED) == {
        "count": 3,
        "customer_share": 0.6,
        "profit": pytest.approx((200 + 100 + 51) / 10 - 15),
    }
    lists = [{"count": 1, "expected_revenue": 200.0}, {"count": 5, "expected_revenue": 410.0}]
    assert payoff.earned(TENTH, lists) == [pytest.approx(15.0), pytest.approx(16.0)]


def test_nobody_earns_a_place_that_costs_too_much() -> None:
    assert payoff.peak(TENTH._replace(cost=100), EXPECTED) == {"count": 0, "customer_share": 0, "profit": 0}


def test_a_cost_that_is_not_stated_is_that_of_the_offers_to_every_member() -> None:
    unknown = TENTH._replace(cost=None)
    others = [offer(7, for_insiders=False), offer(9, conditions=(Condition("net_revenue", True, 1.0, 0.0),))]
    assert payoff.stated(unknown, [offer(3), offer(1), *others]) == (TENTH._replace(cost=4), "actions")
    assert payoff.stated(TENTH, [offer(3)]) == (TENTH, "place_cost")
    without, _ = payoff.stated(unknown, others)
    assert without.cost is None
    assert payoff.peak(without, EXPECTED) is None
    assert payoff.earned(without, [{"count": 1, "expected_revenue": 1.0}]) == [None]


def test_the_answer_has_the_profit_of_every_size() -> None:
    told = shop.usual()["how_many"]
    earned = told["payoff"]
    kept = earned["margin_share"] * earned["uplift"]
    for row, profit in zip(told["sizes"], earned["sizes"], strict=True):
        assert profit == pytest.approx(kept * row["expected_revenue"] - earned["cost"] * row["count"], abs=1e-5)
    assert earned["own"] == pytest.approx(kept * told["own"]["expected_revenue"] - earned["cost"] * told["count"])
    assert earned["peak"]["profit"] >= max(earned["curve"])
