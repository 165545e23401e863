import numpy as np
import pandas as pd
import pytest

import report_tables as shop
from insiders import membership
from insiders.membership import Condition

LEDGER = pd.DataFrame(
    {
        "customer_id": list("abcdef"),
        "net_revenue": [5000.0, 4100.0, 3900.0, 2500.0, 900.0, 100.0],
        "order_count": [12.0, 9.0, 3.0, 8.0, 1.0, 1.0],
        "recency_days": [3.0, 20.0, 90.0, 10.0, 200.0, 300.0],
    }
)
RULE = ((Condition("net_revenue", True, 4000.0), Condition("recency_days", False, 30.0)),)


def test_all_conditions_of_one_way_must_hold():
    assert membership.meets(RULE, LEDGER).tolist() == [True, True, False, False, False, False]


def test_one_way_is_enough():
    rule = (*RULE, (Condition("order_count", True, 8.0),))

    assert membership.meets(rule, LEDGER).tolist() == [True, True, False, True, False, False]


def test_loosened_thresholds_go_both_ways_and_counts_stay_whole():
    rule = ((*RULE[0], Condition("order_count", True, 7.0)),)

    assert membership.loosened(rule, 0.2) == (
        (
            Condition("net_revenue", True, 3200.0),
            Condition("recency_days", False, 36.0),
            Condition("order_count", True, 6.0),
        ),
    )


def test_margin_is_that_of_the_condition_that_binds():
    assert membership.margin(RULE, LEDGER).round(4).tolist()[:3] == [0.25, 0.025, -2.0]


@pytest.mark.parametrize(
    ("threshold", "whole", "expected"),
    [
        (1893.2, False, (1500.0, 2000.0)),
        (2000.0, False, (2000.0,)),
        (4.5, True, (4.0, 5.0)),
        (63.5, True, (60.0, 80.0)),
        (0.37, False, (0.3, 0.4)),
        (-12.0, False, (0.0,)),
    ],
)
def test_memorable_numbers_around_a_threshold(threshold, whole, expected):
    assert membership.around(threshold, whole) == expected


def test_a_rule_that_made_the_list_is_found_again():
    rng = np.random.default_rng(3)
    people = pd.DataFrame({"net_revenue": rng.uniform(0, 9000, 2000), "recency_days": rng.integers(1, 300, 2000) * 1.0})
    chosen = (people["net_revenue"] >= 3000) & (people["recency_days"] <= 60)

    fit = membership.learn(people, chosen)

    assert fit.rule in {
        ((Condition("net_revenue", True, 3000.0), Condition("recency_days", False, 60.0)),),
        ((Condition("recency_days", False, 60.0), Condition("net_revenue", True, 3000.0)),),
    }
    assert (fit.precision, fit.recall) == (1, 1)


def test_the_rule_stays_short_and_says_how_well_it_fits():
    people = shop.customers()
    chosen = pd.Series(np.random.default_rng(0).random(len(people)) < 0.2) | (people["net_revenue"] > 5000)

    fit = membership.learn(people, chosen)
    told = membership.enter(fit, people, chosen)

    assert sum(len(way) for way in fit.rule) <= 5
    named = membership.meets(fit.rule, people)
    assert told["named"] == named.sum()
    assert told["precision"] == (named & chosen).sum() / named.sum()
    assert told["recall"] == (named & chosen).sum() / chosen.sum()


def test_neither_order_nor_names_change_the_rule():
    people, mixed = shop.customers(), shop.customers().sample(frac=1, random_state=5)
    renamed = mixed.assign(customer_id=mixed["customer_id"].str[::-1])

    fits = [membership.learn(each, each["net_revenue"] > 5000) for each in (people, renamed)]

    assert fits[0] == fits[1]


@pytest.mark.parametrize("everyone", [True, False])
def test_no_rule_where_all_or_none_are_on_the_list(everyone):
    nobody = pd.Series(everyone, index=LEDGER.index)

    assert membership.learn(LEDGER, nobody) is None
    assert membership.enter(None, LEDGER, nobody)["ways"] == []
    assert membership.leave(None, LEDGER, nobody, 0.2)["closest"] == []


def test_members_are_outside_between_or_inside_and_the_closest_comes_first():
    fit = membership.Fit(((Condition("net_revenue", True, 4000.0),),), 1.0, 0.5)
    members = pd.Series([True, True, True, True, False, False])

    told = membership.leave(fit, LEDGER, members, slack=0.2)

    assert (told["outside"], told["between"], told["waiting"]) == (1, 1, 0)  # d; c; nobody
    assert [row["customer_id"] for row in told["closest"]] == ["c", "b", "a"]
    assert told["closest"][0]["room"] == pytest.approx(3900 / 3200 - 1)
