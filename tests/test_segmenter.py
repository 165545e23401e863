"""Segmenter: scikit-learn's own checks, pipelines, and the same clusters as the model that serves."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from customer_tables import customers
from insiders import Segmenter, SegmentModel
from insiders.model.embeddings import LogScaler, UnitSpread
from insiders.model.segments import DESCRIBED


@parametrize_with_checks([Segmenter(), Segmenter(LogScaler(), KMeans(3, random_state=0), 0.1)])
def test_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


def shoppers() -> pd.DataFrame:
    return customers(60)[list(DESCRIBED)]


def test_a_pipeline_fits_predicts_and_names() -> None:
    table = shoppers()
    logs = FunctionTransformer(np.log1p, feature_names_out="one-to-one").set_output(transform="pandas")
    pipeline = make_pipeline(logs, Segmenter(clusterer=KMeans(3, random_state=0)))
    labels = pipeline.fit_predict(table)
    assert set(labels) == {0, 1, 2}
    np.testing.assert_array_equal(pipeline.predict(table), labels)
    medians = table["net_revenue"].groupby(labels).median()
    assert medians.is_monotonic_decreasing  # clusters are numbered by value
    assert len(set(pipeline[-1].segment_names_.values())) == 3


def test_its_clusters_and_names_are_those_of_the_model_that_serves() -> None:
    table = shoppers()
    clusterer = KMeans(3, random_state=0)
    own = Segmenter(LogScaler(), clusterer, smallest_share=0.05).fit(table)
    model = SegmentModel(LogScaler(), clusterer, DESCRIBED, smallest_share=0.05).fit(table, table)
    np.testing.assert_array_equal(own.labels_, model.labels_)
    assert not any(name.startswith("Segment ") for name in own.segment_names_.values())


def test_an_embedding_that_learns_is_given_what_followed() -> None:
    table = shoppers()
    following = table["net_revenue"].to_numpy() * 0.3
    labels = Segmenter(UnitSpread(), KMeans(2, random_state=0)).fit_predict(table, following)
    assert set(labels) == {0, 1}


def test_a_search_over_it_finds_its_parameters() -> None:
    def least(estimator: Segmenter, X: pd.DataFrame, _: object = None) -> float:
        return -float(np.bincount(estimator.predict(X)).max())

    search = GridSearchCV(
        Segmenter(LogScaler(), KMeans(random_state=0)), {"clusterer__n_clusters": [2, 4]}, scoring=least, cv=2
    )
    assert search.fit(shoppers()).best_params_ == {"clusterer__n_clusters": 4}


def test_text_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="could not convert string to float"):
        Segmenter().fit(shoppers().assign(country="Brazil"))
