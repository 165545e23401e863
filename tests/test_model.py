import numpy as np
import pandas as pd
import pytest
from optuna.trial import FixedTrial
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from insiders.model.clusterers import Density, Mixture, Ward
from insiders.model.embeddings import EMBEDDINGS, LogScaler, ValuePlane, columns
from insiders.model.segment_model import SegmentModel
from population import FEATURES, customers


def model(clusterer=None, embedding=None, least_share=0.05):
    return SegmentModel(
        embedding or ValuePlane(20, 0.5, "faded_revenue", 3),
        clusterer or KMeans(5, n_init=10, random_state=1),
        FEATURES,
        least_share,
    )


def listed(fitted, frame):
    return set(frame.loc[fitted.predict(frame)["is_insider"].to_numpy(), "customer_id"])


def test_clusters_are_numbered_by_their_median_customers_value():
    frame = customers()
    for embedding, worth in (
        (LogScaler(), lambda _: frame["net_revenue"]),
        (ValuePlane(20, 0.5, "faded_revenue", 3), lambda fitted: pd.Series(fitted.embed(frame).sum(axis=1))),
    ):
        fitted = model(embedding=embedding).fit(frame, customers(seed=2))
        medians = worth(fitted).groupby(fitted.labels_).median()
        assert medians.index.tolist() == list(range(5))
        assert medians.is_monotonic_decreasing


def test_who_spent_much_and_is_gone_does_not_come_before_those_who_spend():
    embedded = np.concatenate([[[1.0, 3.0]] * 20, [[2.0, -9.0]] * 20, [[0.0, 0.0]] * 160])
    embedded += np.random.default_rng(1).normal(0, 0.01, embedded.shape)
    spent = pd.DataFrame({"net_revenue": np.repeat([500.0, 900.0, 10.0], [20, 20, 160])})
    fitted = model(KMeans(3, n_init=10, random_state=1), least_share=0.05).fit_clusters(embedded, spent)
    assert fitted.labels_.tolist() == [0] * 20 + [2] * 20 + [1] * 160
    assert fitted.insider_share_ == 0.1


def test_insiders_are_the_shortest_run_that_is_large_enough():
    frame = customers()
    fitted = model(least_share=0.10).fit(frame, customers(seed=2))
    shares = np.bincount(fitted.labels_).cumsum() / len(frame)
    assert fitted.insider_clusters_ == tuple(range(int(np.argmax(shares >= 0.10)) + 1))
    assert fitted.insider_share_ == pytest.approx(shares[fitted.insider_clusters_[-1]])


@pytest.mark.parametrize("clusterer", [KMeans(5, n_init=10, random_state=1), Ward(5)])
@pytest.mark.parametrize("embedding", [LogScaler(), ValuePlane(20, 0.5, "faded_revenue", 3)])
def test_neither_the_order_of_rows_nor_the_names_of_customers_change_a_segment(clusterer, embedding):
    frame, past = customers(), customers(seed=2)
    known = model(clusterer, embedding).fit(frame, past).predict(frame)
    order = np.random.default_rng(5).permutation(len(frame))
    renamed = frame.assign(customer_id=frame["customer_id"].to_numpy()[::-1])
    for other in (frame.iloc[order], renamed.iloc[order]):
        shuffled = model(clusterer, embedding).fit(other, past.sample(frac=1, random_state=1)).predict(other)
        pd.testing.assert_frame_equal(shuffled.sort_index(), known)


@pytest.mark.parametrize("name", ["affinity", "affinity_scaled", "lifetime_plane"])
def test_nor_in_an_embedding_that_looks_at_products_or_at_lifetime_value(name):
    params = {
        "affinity.components": 4,
        "affinity_scaled.components": 4,
        "affinity_scaled.weight": 0.35,
        "lifetime_plane.future": 0.5,
        "lifetime_plane.parts": True,
    }
    own = {each: value for each, value in params.items() if each.startswith(f"{name}.")}
    number = np.arange(400)
    frame = customers().assign(products=[f"a{n % 7}\nb{n % 5}\nc{n % 3}" for n in number])

    def fitted(known):
        embedding = EMBEDDINGS[name](FixedTrial(own), 7)
        return SegmentModel(embedding, KMeans(4, n_init=10, random_state=1), columns(name, FEATURES), 0.05).fit(
            known, known
        )

    expected = fitted(frame).predict(frame)
    other = frame.iloc[np.random.default_rng(5).permutation(len(frame))]
    other = other.assign(customer_id=np.sort(other["customer_id"].to_numpy()))
    pd.testing.assert_frame_equal(fitted(other).predict(other).sort_index(), expected)
    alone = fitted(frame).predict(frame.iloc[[17]])
    pd.testing.assert_frame_equal(alone, expected.iloc[[17]])


@pytest.mark.parametrize("clusterer", [KMeans(5, n_init=10, random_state=1), Mixture(6), Ward(7), Density(0.02)])
def test_who_spends_more_or_came_lately_is_never_out_while_the_other_is_in(clusterer):
    frame, rng = customers(), np.random.default_rng(8)
    fitted = model(clusterer).fit(frame, customers(seed=2))
    before = fitted.predict(frame)["is_insider"].to_numpy()
    assert before.any()
    for column in ("net_revenue", "faded_revenue", "average_order_value", "recency_days"):
        factor = rng.uniform(0.1, 1, len(frame)) if column == "recency_days" else rng.uniform(1, 9, len(frame))
        after = fitted.predict(frame.assign(**{column: frame[column] * factor}))["is_insider"].to_numpy()
        assert not (before & ~after).any()


def test_whoever_is_ahead_of_an_insider_is_one_whatever_the_cluster():
    frame, corner = customers(), np.array([2.0, 2.0])
    fitted = model(Density(0.02)).fit(frame, customers(seed=2))
    anchor = fitted.anchors_.max(axis=0)
    far = np.vstack([anchor, anchor + corner, anchor + 9 * corner])
    assert set(fitted.label(far)) <= set(fitted.insider_clusters_)
    assert (fitted.clusterer_.predict(far) == -1).any()  # which the clusters alone would have left out


def test_money_in_pence_changes_no_label():
    frame, past, money = (
        customers(),
        customers(seed=2),
        ["net_revenue", "faded_revenue", "average_order_value", "next_revenue"],
    )
    known = model().fit(frame, past).labels_
    for factor in (100, 1000):
        scaled = [each.assign(**{column: each[column] * factor for column in money}) for each in (frame, past)]
        np.testing.assert_array_equal(model().fit(*scaled).labels_, known)


def test_one_customer_of_a_billion_leaves_the_others_where_they_were():
    frame, past = customers(2000), customers(2000, seed=2)
    rich = frame.iloc[[0]].assign(customer_id="rich", net_revenue=1e9, faded_revenue=1e9, average_order_value=1e9)
    before = model().fit(frame, past).labels_
    after = model().fit(pd.concat([frame, rich], ignore_index=True), past).labels_[:-1]
    assert adjusted_rand_score(before, after) >= 0.95


def test_the_future_of_the_customers_at_hand_is_never_looked_at():
    frame, past = customers(), customers(seed=2)
    known = model().fit(frame, past).labels_
    np.testing.assert_array_equal(model().fit(frame.assign(next_revenue=-1.0), past).labels_, known)
    np.testing.assert_array_equal(model().fit(frame.drop(columns="next_revenue"), past).labels_, known)


def test_one_customer_alone_gets_the_label_that_they_have_among_all():
    frame = customers()
    fitted = model().fit(frame, customers(seed=2))
    together = fitted.predict(frame)
    for row in (0, 7, 399):
        pd.testing.assert_frame_equal(fitted.predict(frame.iloc[[row]]), together.iloc[[row]])


def test_noise_is_a_status_and_never_an_insider():
    frame = customers()
    fitted = model(Density(0.1, 10), LogScaler()).fit(frame, customers(seed=2))
    predicted = fitted.predict(frame)
    noise = predicted["cluster"] == -1
    assert noise.any()
    assert not predicted.loc[noise, "is_insider"].any()
    assert set(predicted.loc[noise, "segment"]) == {"Unclustered"}
