"""SegmentModel: features -> embedding -> cluster -> segment -> Insider, one estimator that can be saved and audited."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from insiders.units import NO_CLUSTER

VALUE = "net_revenue"  # clusters are ranked by their median customer's, where the embedding does not tell who is ahead


class SegmentModel(BaseEstimator):
    """Clusters of an embedding, numbered by value: 0 is the cluster whose median customer is worth most.

    Worth is what the customer spent; where every coordinate of the embedding rises with it (its `is_rising`) the sum of
    these, so that those who spent much and are gone do not come before those who spend.

    The Insiders are the shortest run of clusters from 0 on that holds at least `least_share` of the customers;
    `insider_share_` tells what it came to.

    In an embedding that rises, nobody who is ahead of an Insider in all coordinates is left out: such customers are
    counted to the last of the Insiders' clusters, whatever the shapes of the clusters, or the status "none", say.

    Parameters
    ----------
    embedding, clusterer
        Unfitted scikit-learn estimators; the clusterer has `predict`.
    features
        Columns that the embedding sees.
    least_share
        Least size of the programme as a share of the customers.

    """

    def __init__(self, embedding: Any, clusterer: Any, features: tuple[str, ...], least_share: float) -> None:
        self.embedding = embedding
        self.clusterer = clusterer
        self.features = features
        self.least_share = least_share

    def fit(self, customers: pd.DataFrame, past: pd.DataFrame) -> Self:
        """Fit on customers as of a day, and on a `past` snapshot with the `next_revenue` that followed it by that day.

        Rows are put in an order that only their figures decide, so that neither the order of the input nor the names of
        the customers change anything.
        """
        with threadpool_limits(1):  # sums of several threads differ in their last bits from run to run
            self.fit_embedding(customers, past)
            return self.fit_clusters(self.embed(customers), customers)

    def fit_embedding(self, customers: pd.DataFrame, past: pd.DataFrame, **supervised: Any) -> Self:
        """The first half of `fit`; the search shares it between trials. `supervised`: for such an embedding's `fit`."""
        if _is_supervised(self.embedding):
            rows = in_order(past, [*self.features, "next_revenue"])
            known, target = rows[list(self.features)], rows["next_revenue"].to_numpy()
            self.embedding_ = clone(self.embedding).fit(known, target, **supervised)
        else:
            self.embedding_ = clone(self.embedding).fit(in_order(customers, list(self.features))[list(self.features)])
        return self

    def fit_clusters(self, embedded: NDArray[np.float64], customers: pd.DataFrame) -> Self:
        """The second half: cluster the embedded customers, rank the clusters, choose the Insiders."""
        order = np.lexsort(embedded.T[::-1])
        self.clusterer_ = clone(self.clusterer).fit(embedded[order])
        found = np.asarray(self.clusterer_.predict(embedded))
        is_rising = getattr(self.embedding, "is_rising", False)
        self.ranks_ = _ranks(found, embedded.sum(axis=1) if is_rising else customers[VALUE].to_numpy())
        labels = self._numbered(found)
        self.insider_clusters_ = _insider_run(labels, self.least_share)
        self.anchors_ = _lowest(embedded[self.listed(labels)]) if is_rising else None
        self.labels_ = self._with_those_ahead(labels, embedded)
        self.insider_share_ = float(self.listed(self.labels_).mean())
        self.segment_names_ = {number: f"Segment {number + 1}" for number in self.ranks_.values()}
        return self

    def embed(self, customers: pd.DataFrame) -> NDArray[np.float64]:
        """Coordinates of the customers, shape (customers, dimensions)."""
        check_is_fitted(self, "embedding_")
        return np.asarray(self.embedding_.transform(customers[list(self.features)]), dtype=np.float64)

    def label(self, embedded: NDArray[np.float64]) -> NDArray[np.int64]:
        """Cluster of each embedded customer, -1 for none."""
        return self._with_those_ahead(self._numbered(np.asarray(self.clusterer_.predict(embedded))), embedded)

    def listed(self, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each of these clusters is one of the Insiders'."""
        return np.isin(labels, self.insider_clusters_)

    def predict(self, customers: pd.DataFrame) -> pd.DataFrame:
        """`cluster`, `segment` and `is_insider` of each customer; the answer for one never depends on the others."""
        with threadpool_limits(1):
            labels = self.label(self.embed(customers))
        segments = [self.segment_names_.get(int(label), "Unclustered") for label in labels]
        return pd.DataFrame(
            {
                "cluster": labels,
                "segment": pd.array(segments, dtype="str"),
                "is_insider": self.listed(labels),
            },
            index=customers.index,
        )

    def _with_those_ahead(self, labels: NDArray[np.int64], embedded: NDArray[np.float64]) -> NDArray[np.int64]:
        anchors = getattr(self, "anchors_", None)  # which a model of an earlier version does not have
        if anchors is None or not self.insider_clusters_:
            return labels
        ahead = np.zeros(len(labels), dtype=bool)
        for anchor in anchors:
            ahead |= (embedded >= anchor).all(axis=1)
        return np.where(ahead & ~self.listed(labels), self.insider_clusters_[-1], labels)

    def _numbered(self, found: NDArray[np.int64]) -> NDArray[np.int64]:
        """Clusterer's own numbers -> ranks; a number that the fit never gave (an empty component's) is no cluster."""
        known, inverse = np.unique(found, return_inverse=True)
        return np.array([self.ranks_.get(int(each), NO_CLUSTER) for each in known], dtype=np.int64)[inverse]


def _lowest(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points that are ahead of no other in all coordinates."""
    kept: list[NDArray[np.float64]] = []
    for point in np.unique(points, axis=0):  # sorted by column, so that what a point is ahead of comes before it
        if not any((point >= low).all() for low in kept):
            kept.append(point)
    return np.array(kept).reshape(-1, points.shape[1])


def _is_supervised(embedding: Any) -> bool:
    """Whether it needs a target, that is an earlier snapshot and what followed it."""
    return bool(embedding.__sklearn_tags__().target_tags.required)


def in_order(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Rows sorted by these columns, whatever their order and names were; equal rows are interchangeable."""
    return frame.iloc[np.lexsort([_sortable(frame[column]) for column in reversed(columns)])]


def _sortable(column: pd.Series) -> NDArray[np.float64] | NDArray[np.int64]:
    """Texts as their places in the alphabet."""
    return column.to_numpy() if is_numeric_dtype(column) else pd.factorize(column, sort=True)[0]


def _ranks(found: NDArray[np.int64], values: NDArray[np.float64]) -> dict[int, int]:
    """Found number -> rank by the median value, ties by size and by the values' sum in order."""
    keys = []
    for number in np.unique(found[found != NO_CLUSTER]):
        members = np.sort(values[found == number])
        keys.append((-float(np.median(members)), -len(members), -float(members.sum()), int(number)))
    return {key[-1]: rank for rank, key in enumerate(sorted(keys))}


def _insider_run(labels: NDArray[np.int64], least_share: float) -> tuple[int, ...]:
    """The shortest run 0, 1, ... of clusters that holds at least this share of the customers."""
    run: list[int] = []
    for number in range(int(labels.max(initial=NO_CLUSTER)) + 1):
        run.append(number)
        if np.isin(labels, run).mean() >= least_share:
            break
    return tuple(run)
