import numpy as np
import pandas as pd
import pytest

from insiders.evidence import foresight, groupings, quality
from insiders.evidence.foresight import Foresight, Group
from population import DAY, FEATURES, customers

EARLIER = DAY - pd.Timedelta(days=90)


def two_dates(count=1500):
    """The same customers at two dates; what they do depends on a rate and a value of their own."""
    return customers(count, as_of=EARLIER), customers(count, seed=2)


def test_foresight_by_hand():
    # Segment 0 came back with e - 1 of revenue (log(1 + x) is 1), segment 1 did not; later one of 0 stayed away.
    before = Group(np.array([0, 0, 1, 1]), np.array([np.e - 1, np.e - 1, 0, 0]))
    now = Group(np.array([0, 0, 1, 1]), np.array([np.e - 1, 0, 0, 0]))
    # Expected 1, 1, 0, 0; came 1, 0, 0, 0. The errors 0, -1, 0, 0 have the variance 3/16, as the outcome has.
    found = foresight.of_segments(before, now)
    assert found.revenue == pytest.approx(0)
    assert found.back == pytest.approx(0)


def test_what_segments_tell_in_full_is_one_whatever_the_level_of_the_period():
    labels = np.array([0, 1, 2, 0, 1, 2])
    before = Group(labels, np.exp(labels + 1.0) - 1)
    now = Group(labels, np.exp(labels + 3.0) - 1)
    assert foresight.of_segments(before, now).revenue == pytest.approx(1)


def test_where_all_did_the_same_there_is_nothing_to_tell():
    group = Group(np.array([0, 1]), np.array([5.0, 5.0]))
    assert np.isnan(foresight.of_segments(group, group).both)


def test_a_segment_that_the_earlier_date_did_not_know_is_expected_to_do_what_all_did():
    before = Group(np.array([0, 0, 2, 2]), np.array([0.0, 0, np.e - 1, np.e - 1]))
    known = foresight.of_segments(before, Group(np.array([0, 1, 2]), np.array([0, np.expm1(0.5), np.e - 1])))
    assert known.revenue == pytest.approx(1)


def test_each_segment_says_what_it_foretold_and_what_came():
    before = Group(np.array([0, 0, 2, 2]), np.array([10.0, 0, 4, 0]))
    now = Group(np.array([0, 0, 0, 1]), np.array([9.0, 0, 0, 7]))
    rows = foresight.by_segment(before, now).set_index("cluster")
    assert rows.loc[0].to_dict() == pytest.approx(
        {
            **{"customers": 3, "customer_share": 0.75, "expected_revenue": 5, "revenue": 3},
            **{"expected_back": 0.5, "back": 1 / 3},
        }
    )
    assert rows.loc[1, ["expected_revenue", "revenue"]].tolist() == [3.5, 7]  # unknown before: what all did


def test_one_segment_tells_nothing():
    one, other = two_dates()
    groups = [Group(np.zeros(len(each), int), each["next_revenue"].to_numpy()) for each in (one, other)]
    assert foresight.of_segments(*groups).both == pytest.approx(0)


def test_permuted_customers_foretell_nothing():
    found = [quality.permuted(each, FEATURES, seed) for seed, each in enumerate(two_dates(4000))]
    for each in foresight.of_plain_groups(*found).values():
        assert abs(each.both) < 0.06  # 125 means of 30 customers each are noise of this size
    assert abs(foresight.of_quantiles(*((f["net_revenue"], f["next_revenue"]) for f in found), 8).both) < 0.02


def test_more_is_told_by_quantiles_of_what_matters():
    one, other = two_dates()
    pairs = [(each["net_revenue"].to_numpy(), each["next_revenue"].to_numpy()) for each in (one, other)]
    by_id = [(np.arange(float(len(each))), each["next_revenue"].to_numpy()) for each in (one, other)]
    assert foresight.of_quantiles(*pairs, 8).both > 0.1 > foresight.of_quantiles(*by_id, 8).both


def test_money_has_no_unit_for_boosting_and_cells():
    one, other = two_dates(500)
    thousand = [
        each.assign(**{name: each[name] * 1000 for name in FEATURES if "revenue" in name}) for each in (one, other)
    ]
    assert foresight.of_boosting(one, other, FEATURES, 1) == foresight.of_boosting(*thousand, FEATURES, 1)
    assert foresight.of_plain_groups(one, other) == foresight.of_plain_groups(*thousand)


def test_lift_is_the_ratio_of_means_over_the_origins():
    own, other = [Foresight(0.3, 0.1), Foresight(0.5, 0.3)], [Foresight(0.2, 0.0), Foresight(0.3, 0.3)]
    assert foresight.lift(foresight.mean(own), foresight.mean(other)) == pytest.approx(0.3 / 0.2)
    assert np.isnan(foresight.lift(0.2, -0.1))


def test_measures_are_named_by_origin():
    found = foresight.measures({"1": Foresight(0.4, 0.2), "2": Foresight(0.2, 0.2)})
    assert found == pytest.approx(
        {
            "foresight_1": 0.3,
            "foresight_2": 0.2,
            "foresight_mean": 0.25,
            "foresight_min": 0.2,
            "foresight_revenue_mean": 0.3,
            "foresight_back_mean": 0.2,
        }
    )


def test_quantiles_never_part_equal_customers():
    assert groupings.quantiles([1, 2, 3, 4, 5], 5).tolist() == [0, 1, 2, 3, 4]
    assert groupings.quantiles([7, 7, 7, 9], 2).tolist() == [0, 0, 0, 1]


def test_rfm_cells_and_groups_by_hand():
    frame = pd.DataFrame(
        {
            "recency_days": [5.0, 50, 90, 200, 300],
            "order_count": [9.0, 7, 3, 2, 1],
            "net_revenue": [900.0, 800, 100, 50, 10],
        }
    )
    assert groupings.rfm_cells(frame).tolist() == [124, 93, 62, 31, 0]
    names = np.unique(groupings.RFM_NAMES)[groupings.rfm_groups(frame)]
    assert names.tolist() == ["champions", "loyal", "need attention", "hibernating", "lost"]
