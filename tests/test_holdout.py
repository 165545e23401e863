import numpy as np
import pytest

from insiders.evidence import holdout
from population import customers

PAST = np.array([100.0, 90, 80, 10, 5, 1])
LATER = np.array([50.0, 0, 30, 20, 0, 0])


def chosen(*places):
    flags = np.zeros(len(PAST), dtype=bool)
    flags[list(places)] = True
    return flags


def test_capture_by_hand():
    # The list of 0 and 2 got 80 of 100; the two best by the past got 50, the two best possible 80, two by lot 33.3.
    found = holdout.capture(chosen(0, 2), PAST, LATER)
    assert found.value_capture == pytest.approx(0.8)
    assert found.value_lift == pytest.approx(80 / 50)
    assert found.value_oracle == pytest.approx(1.0)
    assert found.value_over_random == pytest.approx(0.8 / (2 / 6))


def test_the_sort_itself_has_a_lift_of_one_with_no_uncertainty():
    found = holdout.capture(chosen(0, 1, 2), PAST, LATER)
    assert found.value_lift == 1
    bounds = holdout.intervals(chosen(0, 1, 2), PAST, LATER, holdout.draws(len(PAST), 200, 1))
    assert bounds["value_lift_low"] == pytest.approx(1) == bounds["value_lift_high"]


def test_equal_customers_share_a_place_of_the_sort():
    # Three customers tie for one place: it brings the mean of their later revenue, whatever their order.
    later = np.array([30.0, 0, 60, 5])
    assert holdout.top_n_revenue(np.array([7.0, 7, 7, 1]), later, 1) == pytest.approx(30)


def test_a_draw_by_lot_captures_its_share_of_the_customers():
    frame = customers(300)
    found = holdout.by_score(np.zeros(len(frame)), frame, 30)
    assert found["value_over_random"] == pytest.approx(1)
    assert found["value_capture"] == pytest.approx(0.1)


def test_intervals_hold_the_estimate_and_narrow_with_more_customers():
    widths = []
    for count in (200, 3200):
        frame = customers(count)
        past, later = frame["net_revenue"].to_numpy(), frame["next_revenue"].to_numpy()
        score = frame["faded_revenue"].to_numpy()
        flags = score >= np.quantile(score, 0.9)
        bounds = holdout.intervals(flags, past, later, holdout.draws(count, 300, 1))
        lift = holdout.capture(flags, past, later).value_lift
        assert bounds["value_lift_low"] <= lift <= bounds["value_lift_high"]
        widths.append(bounds["value_over_random_high"] - bounds["value_over_random_low"])
    assert widths[1] < widths[0] / 2


def test_where_the_past_says_nothing_chance_lies_in_the_interval():
    # Nominal 95 %: among 40 worlds without a link from past to future at most a few may claim to be better than chance.
    better = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        past, later = rng.lognormal(4, 1, 400), rng.lognormal(4, 1, 400)
        flags = past >= np.quantile(past, 0.9)
        bounds = holdout.intervals(flags, past, later, holdout.draws(400, 200, seed))
        better += bounds["value_over_random_low"] > 1
    assert better <= 5


def test_a_period_without_revenue_has_no_capture():
    found = holdout.capture(chosen(0), PAST, np.zeros(len(PAST)))
    assert np.isnan(found.value_capture)
    assert np.isnan(found.value_lift)


def test_a_resample_counts_the_sort_to_the_last_place_by_hand():
    # The first is drawn three times, the third twice, the fourth once: a list of the third holds 2 of 6 places.
    weights = np.array([[3, 0, 2, 1, 0, 0]], dtype=np.uint8)
    bounds = holdout.intervals(chosen(2), PAST, LATER, weights)
    assert bounds["value_lift_low"] == pytest.approx(2 * 30 / (2 * 50)) == bounds["value_lift_high"]
    assert bounds["value_over_random_low"] == pytest.approx(60 / 230 / (2 / 6))


def test_a_large_list_of_a_lopsided_resample_is_counted_over_all_customers():
    # All draws fall on the last customers, far behind those that a list of this size would need.
    past, later = np.arange(1000.0, 0, -1), np.ones(1000)
    weights = np.where(np.arange(1000) == 999, 1000.0, 0.0)[None]
    bounds = holdout.intervals(past < 2, past, later, weights)
    assert bounds["value_lift_low"] == pytest.approx(1)


def test_places_at_the_boundary_are_shared_by_those_who_tie():
    score = np.array([9.0, 7, 7, 7, 1])
    assert holdout.places(score, *holdout.boundary(score, 2)) == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])
    assert holdout.places(score, *holdout.boundary(score, 4)).tolist() == [1, 1, 1, 1, 0]
    assert holdout.places(score, *holdout.boundary(score, 0)).tolist() == [0] * 5
    assert holdout.places(score, *holdout.boundary(score, 2)) @ LATER[:5] == pytest.approx(
        holdout.top_n_revenue(score, LATER[:5], 2)
    )


def test_in_blocks_of_any_size_the_intervals_are_the_same(monkeypatch):
    frame = customers(300)
    past, later = frame["net_revenue"].to_numpy(), frame["next_revenue"].to_numpy()
    weights, flags = holdout.draws(300, 100, 1), past >= np.quantile(past, 0.9)
    whole = holdout.intervals(flags, past, later, weights)
    for block in (1, 300 * 7, 300 * 100):
        monkeypatch.setattr(holdout, "BLOCK", block)
        assert holdout.intervals(flags, past, later, weights) == whole
    assert weights.nbytes == 300 * 100
