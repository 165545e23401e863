import numpy as np
import pandas as pd
import pytest

from insiders.evidence import validation
from insiders.evidence.validation import Listed
from insiders.evidence.windows import windows
from insiders.value import scores
from insiders.value.score_model import Horizon
from population import FEATURES, customers, snapshots
from test_search import RECIPE, SETTINGS

HORIZON = 90


@pytest.fixture(scope="module")
def period():
    known = snapshots(300)
    brought = customers(300)[["customer_id", "next_revenue"]].sample(frac=1, random_state=1)
    return validation.last_period(windows(known, HORIZON, FEATURES), brought, Horizon(HORIZON, 1), 1.24)


def test_what_the_period_brought_is_joined_by_customer(period):
    brought = customers(300).set_index("customer_id")["next_revenue"]
    joined = period.later.set_index("customer_id")["next_revenue"]
    pd.testing.assert_series_equal(joined.sort_index(), brought.sort_index())


def test_judging_by_hand(period):
    later = period.later
    chosen = (later["net_revenue"].rank(ascending=False) <= 30).to_numpy()
    found = validation.judge(Listed("net_revenue", chosen), period, SETTINGS)
    assert found["n"] == 30
    assert found["value_capture"] == pytest.approx(
        later.loc[chosen, "next_revenue"].sum() / later["next_revenue"].sum()
    )
    assert found["value_lift"] == pytest.approx(1) == found["value_lift_low"]
    assert found["top_n_capture"] == pytest.approx(found["value_capture"]) == found["baselines"]["net_revenue"]
    assert 0 < found["clv_capture"] < 1
    assert found["as_of"] == "2024-06-01"
    assert found["foresight"] is None
    assert found["best_sort"] in scores.SORTS
    assert found["sort_lift_low"] <= found["sort_lift"] <= found["sort_lift_high"]


def test_a_period_that_brought_nothing_has_null_figures(period):
    empty = validation.Period(period.cut, period.later.assign(next_revenue=0.0), period.horizon, period.unseen_season)
    found = validation.judge(Listed("net_revenue", np.arange(300) < 30), empty, SETTINGS)
    assert found["value_lift"] is None
    assert found["value_over_random_low"] is None


def test_a_ratio_to_a_list_that_brought_nothing_has_no_interval_either(period):
    later, chosen = period.later, np.arange(300) < 30
    revenue = later["next_revenue"].where(later["net_revenue"].rank(ascending=False) > 30, 0.0)
    brought = validation.Period(period.cut, later.assign(next_revenue=revenue), period.horizon, period.unseen_season)
    found = validation.judge(Listed("net_revenue", chosen), brought, SETTINGS)
    assert found["value_capture"] > 0
    assert found["value_lift"] is None
    assert found["value_lift_low"] is None
    assert found["value_lift_high"] is None


def test_a_baseline_takes_in_everyone_tied_at_its_boundary():
    frame = customers(100)
    frame["net_revenue"] = [100.0] * 5 + [50.0] * 10 + [1.0] * 85
    assert validation.baseline_members(frame, "net_revenue", 0.05, 90).sum() == 5
    assert validation.baseline_members(frame, "net_revenue", 0.06, 90).sum() == 15


def test_the_back_test_looks_at_each_origin_and_at_the_period(period):
    rows = validation.backtest(validation.fits(RECIPE, period, SETTINGS), period)
    assert [row["as_of"] for row in rows] == ["2024-01-03", "2024-02-02", "2024-03-03", "2024-06-01"]
    for row in rows:
        assert 0 < row["low"] <= row["expected"] <= row["high"] or row["low"] == 0
        assert row["members"] > 0
    last = RECIPE.model(SETTINGS).fit(period.window.customers, period.window.past)
    members = set(period.window.customers.loc[last.listed(period.window.customers), "customer_id"])
    actual = period.later.set_index("customer_id").loc[sorted(members), "next_revenue"].sum()
    assert rows[-1]["actual"] == pytest.approx(actual)


def test_segments_foretell_more_than_numbers_that_are_dealt_out(period):
    model = RECIPE.model(SETTINGS).fit(period.window.customers, period.window.past)
    listed = validation.listed(model, period, SETTINGS.score)
    assert validation.judge(listed, period, SETTINGS)["foresight"] > 0.1
    dealt = tuple(np.random.default_rng(1).permutation(each) for each in listed.segments)
    assert abs(validation.judge(listed._replace(segments=dealt), period, SETTINGS)["foresight"]) < 0.05


def test_the_same_list_agrees_with_itself(period):
    model = RECIPE.model(SETTINGS).fit(period.window.customers, period.window.past)
    assert validation.list_agreement(model, model, period.window.customers) == 1
    assert 0 < validation.smallest_segment(model) < 0.5
