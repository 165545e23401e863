"""The segments alone as scikit-learn takes a clusterer: figures in, a number per row out, in a Pipeline or a search."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from insiders.model.segment_model import VALUE, SegmentModel
from insiders.model.segments import DESCRIBED, name_segments


class Segmenter(ClusterMixin, BaseEstimator):
    """SegmentModel without a score: its clusters, numbered by value and none too small.

    `SegmentModel` takes tables of customers and gives one, with scores and Insiders; this takes any array of figures.
    Clusters are numbered by `net_revenue`, where X is a table that has it, or else by the first column: 0 is the one
    whose median row has most. Where X has what segments are described by, `segment_names_` are told by it.

    Parameters
    ----------
    embedding, clusterer
        Unfitted estimators, the clusterer with `predict`; None: standardised figures, and k-means of two clusters.
    smallest_share
        Least size of a cluster, as a share of the rows; a smaller one is merged with the nearest.

    """

    def __init__(self, embedding: Any = None, clusterer: Any = None, smallest_share: float = 0.0) -> None:
        self.embedding = embedding
        self.clusterer = clusterer
        self.smallest_share = smallest_share

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Find the clusters of X, shape (rows, features); `y` is what followed, for embeddings that learn from it."""
        checked = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        rows = self._table(checked)
        past = rows if y is None else rows.assign(next_revenue=np.asarray(y))
        embedding = StandardScaler() if self.embedding is None else self.embedding
        clusterer = KMeans(2, n_init=10, random_state=0) if self.clusterer is None else self.clusterer
        model = SegmentModel(embedding, clusterer, tuple(self._names()), smallest_share=self.smallest_share)
        self.model_ = model.fit(rows, past)
        self.labels_: NDArray[np.int64] = self.model_.labels_
        is_described = set(DESCRIBED) <= set(rows.columns)
        self.segment_names_ = name_segments(rows, self.labels_) if is_described else self.model_.segment_names_
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Cluster of each row, -1 for none."""
        check_is_fitted(self, "model_")
        rows = self._table(validate_data(self, X, dtype=np.float64, reset=False))
        return self.model_.label(self.model_.embed(rows))

    def _names(self) -> list[str]:
        """The columns of X; of an array their numbers, as text."""
        names = getattr(self, "feature_names_in_", range(self.n_features_in_))
        return [str(name) for name in names]

    def _table(self, checked: NDArray[np.float64]) -> pd.DataFrame:
        """X with the column by which clusters are numbered."""
        rows = pd.DataFrame(checked, columns=self._names())
        return rows if VALUE in rows else rows.assign(**{VALUE: checked[:, 0]})
