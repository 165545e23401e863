import numpy as np
import pytest
from optuna.trial import FixedTrial
from sklearn.utils.estimator_checks import parametrize_with_checks

from insiders.embeddings import EMBEDDINGS, ForestLeaves, LogScaler, ValuePlane
from population import FEATURES, customers

POINTS = {
    "scaled": {},
    "quantile": {"quantile.shape": "normal"},
    "pca": {"pca.components": 3},
    "leaves": {"leaves.leaf": 20, "leaves.components": 4},
    "value_plane": {"value_plane.leaf": 20, "value_plane.weight": 0.5},
}


def fitted(name, frame):
    embedding = EMBEDDINGS[name](FixedTrial(POINTS[name]), 7)
    return embedding.fit(frame[list(FEATURES)], frame["next_revenue"].to_numpy())


@parametrize_with_checks([LogScaler(), ForestLeaves(leaf=2, components=2), ValuePlane(leaf=2)])
def test_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", POINTS)
def test_money_in_pence_or_thousands_gives_the_same_coordinates(name):
    frame, money = customers(), ["net_revenue", "faded_revenue", "average_order_value", "next_revenue"]
    known = fitted(name, frame).transform(frame[list(FEATURES)])
    for factor in (100, 1000):
        other = frame.assign(**{column: frame[column] * factor for column in money})
        np.testing.assert_allclose(fitted(name, other).transform(other[list(FEATURES)]), known, atol=1e-6)


@pytest.mark.parametrize("name", POINTS)
def test_a_place_does_not_depend_on_the_batch(name):
    frame = customers()
    embedding = fitted(name, frame)
    together = embedding.transform(frame[list(FEATURES)])
    alone = embedding.transform(frame[list(FEATURES)].iloc[[17]])
    np.testing.assert_allclose(alone[0], together[17], atol=1e-8)


def test_log_scaler_by_hand():
    # Median size 10, so 10 -> log 2 and 30 -> log 4; the median of the logs is log 2, the deviation spans the rest.
    scaler = LogScaler().fit([[0.0], [10.0], [10.0], [30.0]])
    assert scaler.unit_[0] == 10
    assert scaler.centre_[0] == pytest.approx(np.log(2))
    assert scaler.transform([[10.0]])[0, 0] == 0
    assert scaler.transform([[np.nan]])[0, 0] == 0
    assert scaler.transform([[-30.0]])[0, 0] < scaler.transform([[0.0]])[0, 0] < 0


def test_one_customer_of_a_billion_moves_nobody():
    values = customers()[["net_revenue"]].to_numpy()
    known = LogScaler().fit(values).transform(values)
    moved = LogScaler().fit(np.vstack([values, [[1e9]]])).transform(values)
    assert np.abs(moved - known).max() < 0.05


def test_a_leaf_vector_is_gathered_as_the_sparse_product_would_give_it():
    frame = customers(200)
    X, y = frame[list(FEATURES)].to_numpy(), frame["next_revenue"].to_numpy()
    embedding = ForestLeaves(leaf=10, components=3, seed=1).fit(X, y)
    leaves = embedding.forest_.apply(embedding.scaler_.transform(X))
    by_hand = np.zeros((len(X), 3))
    for tree, start in enumerate(embedding.starts_):
        by_hand += embedding.vectors_[start + leaves[:, tree]]
    np.testing.assert_allclose(embedding.transform(X), by_hand / np.sqrt(leaves.shape[1]), atol=1e-7)
