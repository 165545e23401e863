import numpy as np
import pandas as pd
import pytest
from optuna.trial import FixedTrial
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from insiders.model.clusterers import Density, Ward
from insiders.model.embeddings import EMBEDDINGS, LogScaler, ValuePlane, columns
from insiders.model.segment_model import SegmentModel
from insiders.value.score_model import CANDIDATES, Scorer
from population import FEATURES, customers


def model(clusterer=None, embedding=None, sort="lifetime_faded", **shares):
    return SegmentModel(
        embedding or ValuePlane(20, 0.5, "faded_revenue", 3),
        clusterer or KMeans(5, n_init=10, random_state=1),
        FEATURES,
        Scorer(sort),
        **{"share": 0.05, **shares},
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
    fitted = model(KMeans(3, n_init=10, random_state=1)).fit_clusters(embedded, spent)
    assert fitted.labels_.tolist() == [0] * 20 + [2] * 20 + [1] * 160


def test_a_cluster_that_is_too_small_goes_to_the_nearest_one():
    embedded = np.concatenate([[[0.0, 0.0]] * 100, [[5.0, 5.0]] * 60, [[6.0, 5.0]] * 2, [[-1.0, 0.0]] * 1])
    embedded += np.random.default_rng(1).normal(0, 0.01, embedded.shape)
    spent = pd.DataFrame({"net_revenue": np.repeat([10.0, 90.0, 95.0, 5.0], [100, 60, 2, 1])})
    clusterer = KMeans(4, n_init=10, random_state=1)
    fitted = model(clusterer, smallest_share=0.05).fit_clusters(embedded, spent)
    assert fitted.labels_.tolist() == [1] * 100 + [0] * 62 + [1]
    assert fitted.label(embedded).tolist() == fitted.labels_.tolist()
    assert len(np.unique(model(clusterer).fit_clusters(embedded, spent).labels_)) == 4


@pytest.mark.parametrize("sort", CANDIDATES)
def test_insiders_are_the_share_of_the_customers_with_the_highest_score(sort):
    frame = customers()
    fitted = model(sort=sort, share=0.10).fit(frame, customers(seed=2))
    predicted = fitted.predict(frame)
    listed, others = predicted[predicted["is_insider"]], predicted[~predicted["is_insider"]]
    assert listed["score"].min() > others["score"].max()
    assert (predicted["score"] > listed["score"].min()).sum() < 40 <= len(listed)
    np.testing.assert_array_equal(predicted["score"], Scorer(sort).fit(frame, customers(seed=2)).score(frame))


def test_a_model_without_a_score_names_nobody():
    fitted = SegmentModel(LogScaler(), KMeans(3, n_init=10, random_state=1), FEATURES).fit(customers(), customers())
    assert not fitted.predict(customers())["is_insider"].any()
    assert fitted.columns == FEATURES


def test_a_model_asks_for_what_its_embedding_and_its_score_look_at():
    assert model(sort="net_revenue").columns == FEATURES
    assert set(model().columns) == {*FEATURES, "tenure_days", "gap_mean_days"}


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
        return SegmentModel(embedding, KMeans(4, n_init=10, random_state=1), columns(name, FEATURES)).fit(known, known)

    expected = fitted(frame).predict(frame)
    other = frame.iloc[np.random.default_rng(5).permutation(len(frame))]
    other = other.assign(customer_id=np.sort(other["customer_id"].to_numpy()))
    pd.testing.assert_frame_equal(fitted(other).predict(other).sort_index(), expected)
    alone = fitted(frame).predict(frame.iloc[[17]])
    pd.testing.assert_frame_equal(alone, expected.iloc[[17]])


@pytest.mark.parametrize("sort", ["net_revenue", "faded_revenue", "lifetime_value", "lifetime_faded"])
def test_who_spends_more_or_came_lately_is_never_out_while_the_other_is_in(sort):
    frame, rng = customers(), np.random.default_rng(8)
    fitted = model(sort=sort).fit(frame, customers(seed=2))
    before = fitted.predict(frame)["is_insider"].to_numpy()
    assert before.any()
    for column in ("net_revenue", "faded_revenue", "recency_days"):
        factor = rng.uniform(0.1, 1, len(frame)) if column == "recency_days" else rng.uniform(1, 9, len(frame))
        after = fitted.predict(frame.assign(**{column: frame[column] * factor}))["is_insider"].to_numpy()
        assert not (before & ~after).any()


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


def test_noise_is_a_status():
    frame = customers()
    fitted = model(Density(0.1, 10), LogScaler()).fit(frame, customers(seed=2))
    predicted = fitted.predict(frame)
    noise = predicted["cluster"] == -1
    assert noise.any()
    assert set(predicted.loc[noise, "segment"]) == {"Unclustered"}
