"""SegmentModel: features -> embedding -> cluster -> segment, and features -> score -> Insider, as one estimator."""

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from insiders.model.segments import UNCLUSTERED
from insiders.units import NO_CLUSTER, list_size
from insiders.value.score_model import Scorer

VALUE = "net_revenue"  # clusters are ranked by their median customer's, where the embedding does not tell who is ahead


class SegmentModel(BaseEstimator):
    """Segments say what kinds of customers there are; a score says who is an Insider.

    Clusters of an embedding are numbered by value: 0 is the cluster whose median customer is worth most. Worth is what
    the customer spent; where every coordinate of the embedding rises with it (its `is_rising`) the sum of these, so
    that those who spent much and are gone do not come before those who spend. A cluster of fewer than `smallest_share`
    of the customers is merged with the one whose centre is nearest, so that no segment is degenerate.

    The Insiders are those whose score is at least that of the last place: of the `share` of the customers of the fit
    who score highest, all who tie with the last included.

    Parameters
    ----------
    embedding, clusterer
        Unfitted scikit-learn estimators; the clusterer has `predict`.
    features
        Columns that the embedding sees.
    scorer
        Unfitted score of customers; None in a search for segments, where nobody is an Insider.
    share, smallest_share
        Size of the programme, and least size of a segment, as shares of the customers.

    """

    def __init__(
        self,
        embedding: Any,
        clusterer: Any,
        features: tuple[str, ...],
        scorer: Scorer | None = None,
        share: float = 0.0,
        smallest_share: float = 0.0,
    ) -> None:
        self.embedding = embedding
        self.clusterer = clusterer
        self.features = features
        self.scorer = scorer
        self.share = share
        self.smallest_share = smallest_share

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a table of customers needs: those of the embedding, then what else the score looks at."""
        return tuple(dict.fromkeys([*self.features, *(self.scorer.columns if self.scorer else ())]))

    def fit(self, customers: pd.DataFrame, past: pd.DataFrame) -> Self:
        """Fit on customers as of a day, and on a `past` snapshot with the `next_revenue` that followed it by that day.

        Rows are put in an order that only their figures decide, so that neither the order of the input nor the names of
        the customers change anything.
        """
        with threadpool_limits(1):  # sums of several threads differ in their last bits from run to run
            self.fit_embedding(customers, past)
            self.fit_clusters(self.embed(customers), customers)
            return self.fit_score(customers, past)

    def fit_embedding(self, customers: pd.DataFrame, past: pd.DataFrame, **supervised: Any) -> Self:
        """Fit the embedding; the search shares it between trials. `supervised`: for such an embedding's `fit`."""
        if _is_supervised(self.embedding):
            rows = in_order(past, [*self.features, "next_revenue"])
            known, target = rows[list(self.features)], rows["next_revenue"].to_numpy()
            self.embedding_ = clone(self.embedding).fit(known, target, **supervised)
        else:
            self.embedding_ = clone(self.embedding).fit(in_order(customers, list(self.features))[list(self.features)])
        return self

    def fit_clusters(self, embedded: NDArray[np.float64], customers: pd.DataFrame) -> Self:
        """Cluster the embedded customers, merge what is too small, and rank the clusters."""
        order = np.lexsort(embedded.T[::-1])
        self.clusterer_ = clone(self.clusterer).fit(embedded[order])
        numbers = np.asarray(self.clusterer_.predict(embedded))
        merged = _merged(numbers, embedded, self.smallest_share)
        is_rising = getattr(self.embedding, "is_rising", False)
        worth = embedded.sum(axis=1) if is_rising else customers[VALUE].to_numpy()
        ranks = _ranks(_replaced(numbers, merged), worth)
        self.ranks_ = {number: ranks[kept] for number, kept in merged.items()}
        self.labels_ = self._numbered(numbers)
        self.segment_names_ = {number: f"Segment {number + 1}" for number in sorted(set(ranks.values()))}
        return self

    def fit_score(self, customers: pd.DataFrame, past: pd.DataFrame) -> Self:
        """Fit the score, and the border: the score of the last place in a programme of `share` of these customers."""
        self.scorer_ = clone(self.scorer).fit(customers, past) if self.scorer else None
        scores = np.sort(self.score(customers))
        places = list_size(self.share, len(scores)) if self.scorer_ else 0
        self.border_ = float(scores[-places]) if places else math.inf
        return self

    def embed(self, customers: pd.DataFrame) -> NDArray[np.float64]:
        """Coordinates of the customers, shape (customers, dimensions)."""
        check_is_fitted(self, "embedding_")
        return np.asarray(self.embedding_.transform(customers[list(self.features)]), dtype=np.float64)

    def label(self, embedded: NDArray[np.float64]) -> NDArray[np.int64]:
        """Cluster of each embedded customer, -1 for none."""
        return self._numbered(np.asarray(self.clusterer_.predict(embedded)))

    def score(self, customers: pd.DataFrame) -> NDArray[np.float64]:
        """Score of each customer, 0 for all where the model has none."""
        return self.scorer_.score(customers) if self.scorer_ else np.zeros(len(customers))

    def listed(self, customers: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether each customer is an Insider."""
        return self.score(customers) >= self.border_

    def predict(self, customers: pd.DataFrame) -> pd.DataFrame:
        """`cluster`, `segment`, `is_insider` and `score` of each customer; nobody's depends on the others."""
        with threadpool_limits(1):
            labels, scores = self.label(self.embed(customers)), self.score(customers)
        return pd.DataFrame(
            {
                "cluster": labels,
                "segment": self._named(labels),
                "is_insider": scores >= self.border_,
                "score": scores,
            },
            index=customers.index,
        )

    def _named(self, labels: NDArray[np.int64]) -> pd.api.extensions.ExtensionArray:
        """Segment of each label, as text: each name is made once, for millions of customers."""
        known, which = np.unique(labels, return_inverse=True)
        names = [self.segment_names_.get(int(label), UNCLUSTERED) for label in known]
        return pd.array(names, dtype="str").take(which)

    def _numbered(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Clusterer's own numbers -> ranks; a number that the fit never gave (an empty component's) is no cluster."""
        return _replaced(numbers, self.ranks_)


def _merged(numbers: NDArray[np.int64], points: NDArray[np.float64], smallest_share: float) -> dict[int, int]:
    """Clusterer's number -> the number that it goes by: its own, or that of the cluster into which it was merged."""
    kept = {int(number): int(number) for number in np.unique(numbers[numbers != NO_CLUSTER])}
    while len(groups := sorted(set(kept.values()))) > 1:
        current = _replaced(numbers, kept)
        sizes = {group: int((current == group).sum()) for group in groups}
        least = min(groups, key=lambda group: (sizes[group], group))
        if sizes[least] >= smallest_share * len(numbers):
            break
        centres = {group: points[current == group].mean(axis=0) for group in groups}
        distance = {group: float(np.sum((centres[group] - centres[least]) ** 2)) for group in groups if group != least}
        nearest = min(distance, key=lambda group: (distance[group], group))
        kept = {number: nearest if group == least else group for number, group in kept.items()}
    return kept


def _replaced(numbers: NDArray[np.int64], other: Mapping[int, int]) -> NDArray[np.int64]:
    """Each number's other one; where it has none, -1."""
    table = np.full(max(numbers.max(initial=NO_CLUSTER), *other, NO_CLUSTER) + 2, NO_CLUSTER)  # -1 asks for the last
    table[list(other)] = list(other.values())
    return table[numbers]


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
