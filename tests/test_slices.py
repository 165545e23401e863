"""The list on every kind of customer, by hand: who is in which kind, what counts as good there, who is overlooked."""

import numpy as np
import pandas as pd
import pytest

from insiders.evidence import slices
from insiders.evidence.slices import Brought, Slice

DAYS = 90


def customers(**columns: object) -> pd.DataFrame:
    plain = {"tenure_days": [10.0, 90.0, 91.0, 400.0], "order_count": [1, 2, 1, 5], "country": "Portugal"}
    return pd.DataFrame(plain | columns)


def kinds(frame: pd.DataFrame) -> dict[str, list[bool]]:
    found = slices.slices(frame, np.zeros(len(frame), bool), DAYS)
    return {each.country or each.kind: each.is_in.tolist() for each in found}


def test_kinds_by_time_and_orders() -> None:
    assert kinds(customers()) == {
        "new": [True, True, False, False],
        "known": [False, False, True, True],
        "one_order": [True, False, True, False],
        "several_orders": [False, True, False, True],
    }


def test_a_kind_that_everybody_is_of_says_nothing() -> None:
    assert kinds(customers(tenure_days=5.0)).keys() == {"one_order", "several_orders"}


def test_countries_stand_alone_where_they_have_enough_customers() -> None:
    sizes = {"Spain": 40, "Chile": 40, "Italy": 29, None: 3}
    countries = pd.Series([name for name, size in sizes.items() for _ in range(size)])
    frame = pd.DataFrame({"tenure_days": 400.0, "order_count": 2, "country": countries})
    found = {name: sum(flags) for name, flags in kinds(frame).items()}
    assert list(found.items()) == [("Chile", 40), ("Spain", 40), ("other_countries", 32)]


def brought(named_abroad: int) -> tuple[Slice, Brought]:
    """40 of 100 at home are among the best and listed; 20 of 50 abroad are, and so many of them are listed."""
    is_abroad = np.repeat([False, True], [100, 50])
    revenue = np.where(np.r_[np.arange(100) < 40, np.arange(50) < 20], 50.0, 1.0)
    listed = np.r_[np.arange(100) < 60 - named_abroad, np.arange(50) < named_abroad]
    return Slice("country", "Chile", is_abroad), Brought(listed, revenue)


def test_a_country_whose_best_are_not_named_is_overlooked() -> None:
    own, outcome = brought(named_abroad=4)
    [found] = slices.judge([own], outcome)
    assert (found["customers"], found["listed"], found["best"], found["named"]) == (50, 4, 20, 4)
    assert (found["named_share"], found["named_share_elsewhere"]) == (0.2, 1.0)
    assert found["is_overlooked"]
    assert (found["listed_mean"], found["others_mean"]) == (50.0, pytest.approx((16 * 50 + 30) / 46))


def test_one_that_is_treated_like_the_others_is_not() -> None:
    [found] = slices.judge([brought(20)[0]], brought(20)[1])
    assert not found["is_overlooked"]
    assert found["named_share"] == found["named_share_elsewhere"] == 1.0
    assert (found["verdict"], found["delta"]) == ("better", 1.0)


def test_a_list_that_is_upside_down_in_one_kind_is_said_to_be_worse_there() -> None:
    own, outcome = brought(20)
    upside_down = outcome._replace(listed=np.where(own.is_in, ~outcome.listed, outcome.listed))
    assert slices.judge([own], upside_down)[0]["verdict"] == "worse"


def test_few_customers_decide_nothing_and_nobody_listed_is_no_table() -> None:
    own, outcome = brought(1)
    found = slices.judge([own], outcome)
    assert (found[0]["verdict"], found[0]["delta"]) == ("open", None)
    assert slices.judge([own], outcome._replace(listed=np.zeros(150, bool))) == []


def test_a_period_without_revenue_has_no_best() -> None:
    own, outcome = brought(20)
    [found] = slices.judge([own], outcome._replace(revenue=np.zeros(150)))
    assert (found["best"], found["named_share"], found["is_overlooked"]) == (0, None, False)


def test_correcting_for_many_looks_makes_it_harder_to_accuse() -> None:
    own, outcome = brought(15)
    alone, among = slices.judge([own], outcome)[0], slices.judge([own] * 5, outcome)[0]
    assert among["p_corrected"] == pytest.approx(5 * alone["p_corrected"])
