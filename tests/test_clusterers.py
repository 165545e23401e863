import numpy as np
import pytest
from hdbscan import HDBSCAN
from optuna.trial import FixedTrial
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.utils.estimator_checks import parametrize_with_checks

from insiders.model.clusterers import CLUSTERERS, Cells, Density, Mixture, NeighbourLabels, Parts, Tiers, Ward

POINTS = {
    "kmeans": {"kmeans.clusters": 3},
    "tiers": {"tiers.clusters": 3},
    "mixture": {"mixture.components": 3, "mixture.covariance": "full"},
    "ward": {"ward.clusters": 3},
    "hdbscan": {"hdbscan.smallest": 0.05, "hdbscan.samples": 5},
}


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(3)
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    return np.vstack([rng.normal(centre, 0.7, (60, 2)) for centre in centres])


@parametrize_with_checks(
    [
        Parts(2),
        Tiers(2),
        Cells(2, 2),
        Mixture(components=2),
        NeighbourLabels(),
        Ward(),
        Density(smallest=0.2, samples=2),
    ]
)
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


def labels_of_the_algorithm(name, points):
    """Without what this project adds: as scikit-learn or hdbscan labels the points of its fit."""
    if name == "kmeans":
        return Parts(3).fit(points).kmeans_.labels_
    if name == "tiers":
        return Tiers(3).fit(points).kmeans_.labels_
    if name == "mixture":
        return GaussianMixture(3, reg_covar=1e-3, random_state=7).fit_predict(points)
    if name == "ward":
        return AgglomerativeClustering(3).fit_predict(points)
    return HDBSCAN(min_cluster_size=round(0.05 * len(points)), min_samples=5, core_dist_n_jobs=1).fit_predict(points)


@pytest.mark.parametrize("points", ["blobs", "cloud", "doubles"])
@pytest.mark.parametrize("name", POINTS)
def test_gives_the_customers_of_the_fit_the_labels_of_the_algorithm(name, points, blobs):
    cloud = np.random.default_rng(5).normal(size=(300, 3))
    given = {"blobs": blobs, "cloud": cloud, "doubles": np.repeat(cloud[:100], 3, axis=0)}[points]
    clusterer = CLUSTERERS[name](FixedTrial(POINTS[name]), 7).fit(given)
    np.testing.assert_array_equal(clusterer.predict(given), labels_of_the_algorithm(name, given))
    np.testing.assert_array_equal(clusterer.labels_, clusterer.predict(given))


@pytest.mark.parametrize("name", POINTS)
def test_a_label_does_not_depend_on_the_batch(name, blobs):
    clusterer = CLUSTERERS[name](FixedTrial(POINTS[name]), 7).fit(blobs)
    new = blobs + 0.3
    np.testing.assert_array_equal([clusterer.predict(row[None])[0] for row in new], clusterer.predict(new))


def test_noise_is_a_status_that_is_inherited_and_no_cluster(blobs):
    far = np.array([[40.0, 40.0], [-30.0, 25.0]])
    clusterer = Density(smallest=0.1, samples=5).fit(np.vstack([blobs, far]))
    assert clusterer.labels_[-2:].tolist() == [-1, -1]
    assert clusterer.predict([[41.0, 41.0], [0.0, 0.0]]).tolist() == [-1, clusterer.labels_[0]]


def test_beyond_the_landmarks_everyone_has_the_label_of_the_nearest(blobs):
    few = Ward(clusters=3, landmarks=30).fit(blobs)
    assert len(few.rows_) == 30
    assert len(few.labels_) == len(blobs)
    assert len(np.unique(few.labels_)) == 3


def oblong():
    return np.random.default_rng(2).multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 800)


@pytest.mark.parametrize("count", [3, 5, 8, 12])
def test_parts_err_about_as_little_as_the_best_of_ten_random_starts(count):
    drawn = KMeans(count, n_init=10, random_state=1).fit(oblong()).inertia_
    assert Parts(count).fit(oblong()).kmeans_.inertia_ <= 1.05 * drawn


def test_the_part_that_errs_most_is_cut_at_its_mean():
    points = np.array([[0.0, 0], [1, 0], [10, 0], [12, 0], [30, 0], [31, 0]])
    assert Parts(2).fit(points).labels_.tolist() == [0, 0, 0, 0, 1, 1]
    assert Parts(3).fit(points).labels_.tolist() == [1, 1, 2, 2, 0, 0]  # the lower half, which errs more, is the next


def test_customers_who_are_equal_are_one_part():
    points = np.repeat([[0.0, 0.0], [3.0, 1.0]], 50, axis=0)
    assert len(set(Parts(5).fit(points).labels_)) == 2
    assert set(Parts(5).fit(np.ones((9, 2))).labels_) == {0}


def test_tiers_follow_the_direction_in_which_customers_differ_most():
    labels = Tiers(5).fit(oblong()).labels_
    order = np.argsort([oblong()[labels == each].sum(axis=1).mean() for each in range(5)])
    assert order.tolist() in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0])


def test_one_customer_far_out_moves_no_tier():
    alone = Tiers(4).fit(oblong()).labels_
    assert adjusted_rand_score(alone, Tiers(4).fit(np.vstack([oblong(), [6, 6]])).labels_[:-1]) > 0.9


def test_more_tiers_than_customers_are_as_many_as_customers():
    assert len(set(Tiers(9).fit(oblong()[:4]).labels_)) == 4


# --- cells ---


def test_cells_by_hand():
    # Two slices of the first coordinate meet at 3; within each, two meet at its own middle of the second.
    points = np.array([[1, 5], [2, 9], [3, 100], [4, 200]])
    cells = Cells(2, 2).fit(points)
    assert cells.labels_.tolist() == [0, 1, 2, 3]
    assert cells.predict([[0, 0], [2.9, 50], [3, 150], [99, 999]]).tolist() == [0, 1, 2, 3]


def test_cells_are_about_as_large_as_each_other():
    sizes = np.bincount(Cells(5, 3).fit(oblong()).labels_)
    assert len(sizes) == 15
    assert sizes.min() >= 0.9 * len(oblong()) / 15


def test_customers_who_are_equal_are_in_one_cell():
    points = np.vstack([np.zeros((300, 2)), oblong()])
    cells = Cells(5, 3).fit(points)
    assert len(set(cells.labels_[:300])) == 1
    assert cells.predict([[0, 0]]) == cells.labels_[0]


def test_one_coordinate_has_slices_alone():
    assert Cells(4, 3).fit(oblong()[:, :1]).labels_.tolist() == Cells(4, 1).fit(oblong()).labels_.tolist()


def test_a_cell_does_not_depend_on_the_batch():
    cells = CLUSTERERS["cells"](FixedTrial({"cells.grid": "5x3"}), 7).fit(oblong())
    new = oblong() + 0.1
    np.testing.assert_array_equal([cells.predict(row[None])[0] for row in new], cells.predict(new))


def agreement_of_refits(clusterer):
    """Mean adjusted Rand index between a fit and those on bootstrap samples, over all customers."""
    rng, known = np.random.default_rng(4), clusterer.fit(oblong()).predict(oblong())
    samples = [oblong()[rng.integers(800, size=800)] for _ in range(10)]
    return np.mean([adjusted_rand_score(known, clusterer.fit(each).predict(oblong())) for each in samples])


def test_cells_stay_where_as_many_centres_jump():
    assert agreement_of_refits(Cells(7, 2)) > agreement_of_refits(KMeans(14, n_init=10, random_state=1)) + 0.04
