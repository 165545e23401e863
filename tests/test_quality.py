import numpy as np
import pandas as pd
import pytest

from insiders import quality
from population import FEATURES, customers


def test_jaccard_by_hand():
    one, other = np.array([1, 1, 1, 0, 0], bool), np.array([0, 1, 1, 1, 0], bool)
    assert quality.jaccard(one, other) == pytest.approx(2 / 4)
    assert quality.jaccard(np.zeros(3, bool), np.zeros(3, bool)) == 1


def test_separation_leaves_noise_out_and_needs_two_clusters():
    points = np.array([[0.0, 0], [0, 1], [9, 9], [9, 8], [4, 4]])
    labels = np.array([0, 0, 1, 1, -1])
    with_noise = quality.separation(points, labels, 100, 1)
    without = quality.separation(points[:4], labels[:4], 100, 1)
    assert with_noise == without
    assert with_noise["silhouette"] > 0.8
    assert np.isnan(quality.separation(points, np.array([0, 0, 0, 0, -1]), 100, 1)["silhouette"])


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
    labels, flags = np.array([0, 0, 1, 2]), np.array([1, 1, 0, 0], bool)
    assert quality.agreement((labels, flags), [(labels, flags)] * 2) == {"jaccard": 1.0, "rand": 1.0}
