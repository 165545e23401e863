import numpy as np
import pandas as pd
import pytest

from insiders.evidence import quality
from population import FEATURES, customers


def test_jaccard_by_hand():
    one, other = np.array([1, 1, 1, 0, 0], bool), np.array([0, 1, 1, 1, 0], bool)
    assert quality.jaccard(one, other) == pytest.approx(2 / 4)
    assert quality.jaccard(np.zeros(3, bool), np.zeros(3, bool)) == 1


def test_separation_leaves_noise_out_and_needs_two_clusters():
    points = np.array([[0.0, 0], [0, 1], [9, 9], [9, 8], [4, 4]])
    labels = np.array([0, 0, 1, 1, -1])
    with_noise = quality.separation(quality.Space.of(points, 100, 1), labels)
    without = quality.separation(quality.Space.of(points[:4], 100, 1), labels[:4])
    assert with_noise == without
    assert with_noise["silhouette"] > 0.8
    assert np.isnan(quality.separation(quality.Space.of(points, 100, 1), np.array([0, 0, 0, 0, -1]))["silhouette"])


def test_permuted_customers_keep_every_column_and_lose_every_customer():
    frame = customers()
    shuffled = quality.permuted(frame, FEATURES, 3)
    for name in FEATURES:
        assert sorted(shuffled[name]) == sorted(frame[name])
    assert frame[list(FEATURES)].corr().loc["net_revenue", "faded_revenue"] > 0.9
    assert abs(shuffled[list(FEATURES)].corr().loc["net_revenue", "faded_revenue"]) < 0.2


def test_permutation_does_not_depend_on_the_order_of_rows():
    frame = customers()
    other = quality.permuted(frame.sample(frac=1, random_state=2), FEATURES, 3).reset_index(drop=True)
    pd.testing.assert_frame_equal(other[list(FEATURES)], quality.permuted(frame, FEATURES, 3)[list(FEATURES)])


def test_agreement_is_one_with_itself():
    labels = np.array([0, 0, 1, 2])
    assert quality.segment_agreement(labels, [labels] * 2) == {"jaccard": 1.0, "rand": 1.0}


def test_a_label_is_as_sure_as_the_most_similar_customers_share_it():
    places = np.concatenate([np.arange(20), 100 + np.arange(20)]).astype(float)[:, None]
    labels = np.repeat([0, 1], 20)
    found = quality.confidence(places, labels)
    assert found.tolist() == [1.0] * 40
    labels[5] = 1  # alone among the others
    found = quality.confidence(places, labels)
    assert found[5] == 0.0
    assert found[4] == found[0] == 0.9
    assert found[19] == found[39] == 1.0


def test_a_segment_of_two_can_be_sure_of_both():
    places = np.append(np.arange(20), [90, 91]).astype(float)[:, None]
    assert quality.confidence(places, np.arange(22) // 20).tolist() == [1.0] * 22


def test_confidence_needs_neighbours_and_leaves_no_cluster_out():
    assert np.isnan(quality.confidence(np.zeros((1, 2)), np.array([0]))).all()
    assert quality.confidence(np.array([[0.0], [1.0]]), np.array([-1, -1])).tolist() == [1.0, 1.0]
    assert quality.confidence(np.zeros((3, 2)), np.array([2, 2, 2])).tolist() == [1.0, 1.0, 1.0]


def test_the_order_of_the_customers_changes_no_confidence(monkeypatch):
    monkeypatch.setattr(quality, "LANDMARKS", 50)
    rng = np.random.default_rng(1)
    places, order = rng.normal(size=(200, 3)), rng.permutation(200)
    labels = (places[:, 0] > 0).astype(int) + (places[:, 1] > 1)
    found = quality.confidence(places, labels)
    assert np.array_equal(quality.confidence(places[order], labels[order]), found[order])
    assert ((found >= 0) & (found <= 1)).all()


def test_the_control_gap_has_an_interval_over_customers():
    rng = np.random.default_rng(4)
    points = np.concatenate([rng.normal(0, 1, (150, 2)), rng.normal(6, 1, (150, 2))])
    labels = np.repeat([0, 1], 150)
    own = quality.separation(quality.Space.of(points, 1000, 1), labels)
    by_lot = quality.separation(quality.Space.of(points, 1000, 1), rng.permutation(labels))
    found = quality.control(own, by_lot)
    assert found["control_gap"] == pytest.approx(own["silhouette"] - by_lot["silhouette"])
    assert 0 < found["control_gap_low"] < found["control_gap"] < found["control_gap_high"]
    nothing = quality.control(by_lot, by_lot)
    assert nothing["control_gap_low"] < 0 < nothing["control_gap_high"]
    few = quality.separation(quality.Space.of(points[::10], 1000, 1), labels[::10])
    assert few["silhouette_error"] > own["silhouette_error"]


def test_a_control_without_clusters_counts_as_none():
    own = {"silhouette": 0.3, "silhouette_error": 0.01, "davies_bouldin": 1.0, "calinski_harabasz": 9.0}
    found = quality.control(own, dict.fromkeys(own, float("nan")))
    assert found["control_gap"] == 0.3
    assert found["control_gap_low"] == pytest.approx(0.3 - 1.959964 * 0.01)
