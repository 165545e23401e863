from importlib.util import find_spec

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from insiders.model.embeddings import (
    EMBEDDINGS,
    ForestLeaves,
    LifetimeAxes,
    LifetimePlane,
    LogScaler,
    NeighbourMap,
    Principal,
    ProductAffinity,
    ProductCounts,
    Quantiles,
    UnitSpread,
    ValuePlane,
    columns,
)
from insiders.model.embeddings.lifetime import COLUMNS, HORIZON_DAYS
from insiders.value import lifetime
from population import FEATURES, customers

# umap is an extra. Its places come from an optimiser, not from sums: what holds of it is tested on its own below.
BUILT_IN = sorted(set(EMBEDDINGS) - {"umap"})
MONEY = ["gross_revenue", "net_revenue", "faded_revenue", "average_order_value", "next_revenue"]


def shoppers(count=400, seed=1):
    """Customers of three tastes, with a few products of another each."""
    frame, rng = customers(count, seed), np.random.default_rng(seed)
    taste = np.arange(count) % 3
    bought = [
        {
            f"{('tea', 'wax', 'tin')[other]} {n}"
            for other in (one, one, one, rng.integers(3))
            for n in rng.integers(12, size=2)
        }
        for one in taste
    ]
    return frame.assign(products=pd.array(["\n".join(sorted(each)) for each in bought], dtype="str"))


def looked_at(name, frame):
    return frame[list(columns(name, FEATURES))]


def fitted(name, frame):
    """An embedding at one point of its own search space, whatever that is: a new one is tested without a word here."""
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=7)).ask()
    embedding = EMBEDDINGS[name](trial, 7)
    return embedding.fit(looked_at(name, frame), frame["next_revenue"].to_numpy())


@parametrize_with_checks(
    [
        LogScaler(),
        Quantiles(),
        Principal(),
        UnitSpread(),
        ForestLeaves(leaf=2, components=2),
        ValuePlane(leaf=2),
        ProductAffinity(components=2),
        LifetimePlane(),
        LifetimeAxes(),
    ]
)
def test_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


@pytest.mark.skipif(find_spec("umap") is None, reason="umap-learn, an extra, is not installed: `make umap` installs it")
@pytest.mark.filterwarnings("ignore::Warning")  # of the compiler, and of a map of ten customers
@parametrize_with_checks([NeighbourMap(neighbours=3)])
def test_the_map_of_neighbours_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", BUILT_IN)
def test_money_in_pence_or_thousands_gives_the_same_coordinates(name):
    frame = shoppers()
    known = fitted(name, frame).transform(looked_at(name, frame))
    for factor in (100, 1000):
        other = frame.assign(**{column: frame[column] * factor for column in MONEY})
        np.testing.assert_allclose(fitted(name, other).transform(looked_at(name, other)), known, atol=1e-6)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_place_does_not_depend_on_the_batch(name):
    frame = shoppers()
    embedding = fitted(name, frame)
    together = embedding.transform(looked_at(name, frame))
    alone = embedding.transform(looked_at(name, frame.iloc[[17]]))
    np.testing.assert_allclose(alone[0], together[17], atol=1e-8)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_second_fit_gives_the_same_places(name):
    frame = shoppers()
    one, other = (fitted(name, frame).transform(looked_at(name, frame)) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", BUILT_IN)
def test_two_customers_are_enough_and_one_product_too(name):
    frame = shoppers(2).assign(products="only")
    places = fitted(name, frame).transform(looked_at(name, frame))
    assert len(places) == 2
    assert np.isfinite(places).all()


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


def test_quantiles_by_hand():
    ranks = Quantiles().fit([[1.0], [2.0], [4.0]])
    np.testing.assert_allclose(ranks.transform([[0.5], [1.0], [3.0], [4.0], [9.0]])[:, 0], [0, 0, 0.75, 1, 1])
    assert ranks.transform([[np.nan]])[0, 0] == ranks.transform([[2.0]])[0, 0] == 0.5


def test_there_are_no_more_principal_components_than_columns():
    assert Principal(6).fit_transform(customers()[["net_revenue", "recency_days"]]).shape[1] == 2


def test_a_leaf_vector_is_gathered_as_the_sparse_product_would_give_it():
    frame = customers(200)
    X, y = frame[list(FEATURES)].to_numpy(), frame["next_revenue"].to_numpy()
    embedding = ForestLeaves(leaf=10, components=3, seed=1).fit(X, y)
    leaves = embedding.forest_.apply(embedding.scaler_.transform(X))
    by_hand = np.zeros((len(X), 3))
    for tree, start in enumerate(embedding.starts_):
        by_hand += embedding.vectors_[start + leaves[:, tree]]
    np.testing.assert_allclose(embedding.transform(X), by_hand / np.sqrt(leaves.shape[1]), atol=1e-7)


# --- products ---


def test_product_counts_by_hand():
    counts = ProductCounts(fewest=2).fit(["a b\nc", "a b", "c\nrare", ""])
    assert counts.products_ == ["a b", "c"]
    found = counts.transform(["c\nnew", "a b\nc", "", "new"]).toarray()
    np.testing.assert_array_equal(found, [[0, 1], [1, 1], [0, 0], [0, 0]])


def test_where_no_product_is_common_all_count():
    assert ProductCounts(fewest=5).fit(["a", "b"]).products_ == ["a", "b"]


def test_who_buys_the_same_lies_close_and_who_buys_nothing_known_in_the_centre():
    counts = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]])
    tastes = ProductAffinity(components=2).fit(counts[:4])
    places = tastes.transform(counts)
    np.testing.assert_allclose(places[0], places[1])
    np.testing.assert_allclose(places[2], -places[0])  # two halves, seen from their mean
    assert np.linalg.norm(places[0] - places[2]) == pytest.approx(np.sqrt(2))  # at a right angle, both of length 1
    np.testing.assert_array_equal(places[4], [0, 0])


def test_tastes_are_found():
    frame = shoppers()
    places = fitted("affinity", frame).transform(looked_at("affinity", frame))
    centres = np.array([places[taste::3].mean(axis=0) for taste in range(3)])
    nearest = np.linalg.norm(places[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == np.arange(len(frame)) % 3).mean() > 0.9


def test_the_number_of_products_bought_is_no_taste():
    tastes = ProductAffinity(components=1).fit([[1, 0], [2, 0], [9, 0], [0, 1]])
    assert len(np.unique(tastes.transform([[1, 0], [9, 0]]))) == 1


def test_products_and_behaviour_have_their_stated_weights():
    frame = shoppers()
    places = fitted("affinity_scaled", frame).transform(looked_at("affinity_scaled", frame))
    spread = np.sqrt(places.var(axis=0))
    assert np.linalg.norm(spread[: -len(FEATURES)]) == pytest.approx(0.35, abs=1e-6)
    assert np.linalg.norm(spread[-len(FEATURES) :]) == pytest.approx(0.65, abs=1e-6)


# --- lifetime value ---


def leavers(count=300, seed=5):
    """Customers a third of whom left long ago, after as many orders as the others."""
    rng = np.random.default_rng(seed)
    tenure = rng.integers(300, 360, count).astype(float)
    repeats = rng.poisson(12, count)
    last = np.where(rng.random(count) < 0.33, tenure / 4, tenure - rng.integers(1, 20, count)).round()
    net = np.round((1 + repeats) * rng.lognormal(4, 0.5, count), 2)
    return pd.DataFrame(
        {
            "customer_id": pd.array([f"{number:04d}" for number in range(count)], dtype="str"),
            "as_of": pd.Timestamp("2024-06-01"),
            "recency_days": tenure - last,
            "tenure_days": tenure,
            "gap_mean_days": np.where(repeats > 0, last / np.maximum(repeats, 1), np.nan),
            "net_revenue": net,
            "faded_revenue": net / 2,
        }
    )


def test_the_lifetime_plane_holds_what_the_value_model_expects():
    frame = leavers()
    plane = LifetimePlane(future=0.5).fit(frame[list(COLUMNS)])
    places = plane.transform(frame[list(COLUMNS)])
    expected = lifetime.predict(lifetime.fit(frame), frame, HORIZON_DAYS)
    inside = np.abs(places * 2).max(axis=1) < 4  # beyond, a customer counts as just as far out
    for column, name in enumerate(("faded_revenue", "expected_revenue", "expected_orders", "probability_active")):
        known = frame[name] if name in frame else expected[name]
        rank = [pd.Series(each[inside]).rank().to_numpy() for each in (places[:, column], known.to_numpy())]
        assert np.corrcoef(*rank)[0, 1] > 0.999


def test_without_its_parts_the_lifetime_plane_has_two_sides():
    frame = leavers()[list(COLUMNS)]
    whole, sides = LifetimePlane(0.8, parts=True).fit_transform(frame), LifetimePlane(0.8, parts=False)
    assert sides.fit_transform(frame).tolist() == whole[:, :2].tolist()


def test_the_probability_of_being_active_is_there_where_leaving_shows():
    assert LifetimePlane().fit_transform(leavers()[list(COLUMNS)]).shape[1] == 4
    frame = customers()
    assert not lifetime.fit(frame).dropout_identified
    assert LifetimePlane().fit_transform(frame[list(COLUMNS)]).shape[1] == 3


@pytest.mark.parametrize("frame", [customers(), leavers()], ids=["nobody leaves", "some leave"])
@pytest.mark.parametrize("space", [LifetimePlane(), LifetimeAxes(("log_revenue", "past", "orders"))])
def test_more_money_or_a_later_order_moves_nobody_down(frame, space):
    plane = space.fit(frame[list(COLUMNS)])
    known = plane.transform(frame[list(COLUMNS)])
    richer = frame.assign(**{name: frame[name] * 1.5 + 10 for name in ("net_revenue", "faded_revenue")})
    last = frame["tenure_days"] - frame["recency_days"]
    moved = np.where(frame["gap_mean_days"].notna(), np.minimum(frame["recency_days"] - 1, 5), 0)
    gaps = frame["gap_mean_days"] * ((last + moved) / last.where(last > 0))  # of as many orders
    later = frame.assign(recency_days=frame["recency_days"] - moved, gap_mean_days=gaps)
    assert (plane.transform(richer[list(COLUMNS)]) >= known).all()
    assert (plane.transform(richer[list(COLUMNS)]) > known).any()
    assert (plane.transform(later[list(COLUMNS)]) >= known - 1e-8).all()


def test_a_shop_that_gave_back_more_than_it_sold_has_a_lifetime_plane():
    frame = customers(50).assign(net_revenue=-10.0, faded_revenue=-5.0)
    assert np.isfinite(LifetimePlane().fit_transform(frame[list(COLUMNS)])).all()


def test_axes_are_what_they_are_called():
    frame = leavers()
    places = LifetimeAxes(("orders", "log_revenue")).fit_transform(frame[list(COLUMNS)])
    expected = lifetime.predict(lifetime.fit(frame), frame, HORIZON_DAYS)
    coins = expected["expected_revenue"] / frame["net_revenue"].median() * 1000
    orders, log_revenue = np.log(expected["expected_orders"]), expected["probability_order"] * np.log1p(coins)
    for place, known in zip(places.T, (orders, log_revenue), strict=True):
        inside = np.abs(place) < 4  # beyond, a customer counts as just as far out
        assert np.corrcoef(place[inside], known[inside])[0, 1] > 0.999


def test_who_may_come_back_is_told_apart_where_most_never_do():
    frame = pd.concat([customers(380).assign(recency_days=179.0, gap_mean_days=np.nan), customers(20)])[list(COLUMNS)]
    places = LifetimeAxes(("log_revenue",)).fit_transform(frame)
    assert np.abs(places).max() > 4
    assert len(np.unique(places[-20:])) == 20
