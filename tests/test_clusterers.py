import numpy as np
import pytest
from optuna.trial import FixedTrial
from sklearn.utils.estimator_checks import parametrize_with_checks

from insiders.clusterers import CLUSTERERS, Density, Mixture, Ward

POINTS = {
    "kmeans": {"kmeans.clusters": 3},
    "mixture": {"mixture.components": 3, "mixture.covariance": "full"},
    "ward": {"ward.clusters": 3},
    "hdbscan": {"hdbscan.smallest": 0.05, "hdbscan.samples": 5},
}


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(3)
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    return np.vstack([rng.normal(centre, 0.7, (60, 2)) for centre in centres])


@parametrize_with_checks([Mixture(components=2), Ward(), Density(smallest=0.2, samples=2)])
def test_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", POINTS)
def test_finds_three_plain_groups_and_labels_the_unseen(name, blobs):
    clusterer = CLUSTERERS[name](FixedTrial(POINTS[name]), 7).fit(blobs)
    labels = clusterer.predict(blobs)
    assert [len(np.unique(labels[start : start + 60][labels[start : start + 60] >= 0])) for start in (0, 60, 120)] == [
        1
    ] * 3
    assert clusterer.predict([[10.1, 0.1]])[0] == np.bincount(labels[60:120][labels[60:120] >= 0]).argmax()


@pytest.mark.parametrize("name", POINTS)
def test_agrees_with_its_own_labels_on_the_customers_of_the_fit(name, blobs):
    clusterer = CLUSTERERS[name](FixedTrial(POINTS[name]), 7).fit(blobs)
    np.testing.assert_array_equal(clusterer.predict(blobs), clusterer.labels_)


def test_beyond_the_landmarks_everyone_has_the_label_of_the_nearest(blobs):
    few = Ward(clusters=3, landmarks=30).fit(blobs)
    assert len(few.rows_) == 30
    assert len(few.labels_) == len(blobs)
    assert len(np.unique(few.labels_)) == 3
