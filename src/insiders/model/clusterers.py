"""CLUSTERERS: name -> function(trial, seed) -> clusterer that can label customers whom it has not seen.

Constructor and search space of a clusterer stand in one function. -1 is no cluster but the status "none".

The share of the fit's customers to whom `predict` gives the label that the algorithm itself gave them is 1.0 for each
(k-means, tiers, cells, mixture, Ward, HDBSCAN; on the sample and the public data, scaled, by rank and by principal
components). Ward and HDBSCAN cannot predict: `predict` returns the label of the nearest customer of the fit. Of more
than LANDMARKS customers only these have a label of the algorithm's own.
"""

from collections.abc import Callable
from typing import Any, Self

import joblib
import numpy as np
from cachetools import LRUCache, cached
from numpy.typing import NDArray
from scipy.spatial import KDTree
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.mixture import GaussianMixture
from sklearn.utils.extmath import svd_flip
from sklearn.utils.validation import check_is_fitted, validate_data

from insiders.units import evenly_spaced

Labels = NDArray[np.int64]
Points = NDArray[np.float64]

DIGITS = 9  # of shares that decide: what lies beyond is rounding, which differs between processors
OUTERMOST = 0.001  # share of the customers at each end
TREES = 256  # of merges that are kept: those of a search's windows, in several embeddings
LANDMARKS = 2_000  # rows that a quadratic algorithm is given; the others are labelled by their nearest neighbour


class Mixture(ClusterMixin, BaseEstimator):
    """A Gaussian mixture with labels, as scikit-learn's clusterers have."""

    def __init__(self, components: int = 4, covariance: str = "full", seed: int = 0) -> None:
        self.components = components
        self.covariance = covariance
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64)
        # reg_covar: columns with many equal values would otherwise collapse a component onto them.
        self.mixture_ = GaussianMixture(
            min(self.components, len(X)), covariance_type=self.covariance, reg_covar=1e-3, random_state=self.seed
        ).fit(X)
        self.labels_ = self.predict(X)
        return self

    def predict(self, X: Any) -> Labels:
        check_is_fitted(self, "mixture_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.mixture_.predict(X), dtype=np.int64)


class _FromOneStart(ClusterMixin, BaseEstimator):
    """k-means from one start that nothing draws: any seed gives the same clusters."""

    def __init__(self, clusters: int = 4) -> None:
        self.clusters = clusters

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64)
        start = self._start(X, min(self.clusters, len(X)))
        self.kmeans_ = KMeans(len(start), init=start, n_init=1).fit(X)
        self.labels_ = self.predict(X)
        return self

    def predict(self, X: Any) -> Labels:
        check_is_fitted(self, "kmeans_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.kmeans_.predict(X), dtype=np.int64)

    def _start(self, points: Points, count: int) -> Points:
        """Centres to begin with, shape (at most count, dimensions)."""
        raise NotImplementedError


class Parts(_FromOneStart):
    """k-means that starts from parts: whichever errs most is cut at its mean, along its own principal axis.

    PCA-Part of Su and Dy (2007, In search of deterministic methods for initializing k-means and Gaussian mixture
    clustering): on three shops it errs about as little as the best of ten random starts, in a sixth of their time, and
    clusters of customers drawn anew agree as well.
    """

    def _start(self, points: Points, count: int) -> Points:
        return _centres_of_parts(points, count)


class Tiers(_FromOneStart):
    """k-means that starts from slices of equal width along the axis on which customers differ most.

    Where the coordinates rise with value the clusters are tiers of it. The OUTERMOST of the customers at each end do
    not stretch the slices.
    """

    def _start(self, points: Points, count: int) -> Points:
        return _slices(points, count)


class Cells(ClusterMixin, BaseEstimator):
    """A grid of quantiles: `first` slices of the first coordinate, each cut into `second` by its own of the second.

    Cells hold about as many customers each, and one customer more or less moves their edges a little: they stay where
    clusters around centres jump. Further coordinates are ignored, and `second` where there is no second one. A customer
    is placed by the edges alone.
    """

    def __init__(self, first: int = 7, second: int = 2) -> None:
        self.first = first
        self.second = second

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64)
        self.first_edges_ = _edges(X[:, 0], self.first)
        slices = self._slices(X)
        # Equal customers can leave a slice empty; it is cut as all are, for those whom the fit has not seen.
        members = [slices == each if (slices == each).any() else slices >= 0 for each in range(self.first)]
        second = X[:, min(1, X.shape[1] - 1)]
        self.second_edges_ = np.array([_edges(second[each], self.second) for each in members])
        self.labels_ = self.predict(X)
        return self

    def predict(self, X: Any) -> Labels:
        check_is_fitted(self, "second_edges_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        slices = self._slices(X)
        if X.shape[1] == 1:
            return slices
        within = (self.second_edges_[slices] <= X[:, 1:2]).sum(axis=1)
        return np.asarray(slices * self.second + within, dtype=np.int64)

    def _slices(self, X: Points) -> Labels:
        return np.searchsorted(self.first_edges_, X[:, 0], side="right").astype(np.int64)


class NeighbourLabels(ClusterMixin, BaseEstimator):
    """Gives a clusterer that cannot predict the label of the nearest customer that it was fitted on.

    On the customers of the fit this is their own label, as long as there are at most LANDMARKS of them; beyond that, an
    evenly spaced part of them is clustered.
    """

    def __init__(self, clusterer: Any = None, landmarks: int = LANDMARKS) -> None:
        self.clusterer = clusterer
        self.landmarks = landmarks

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        chosen = evenly_spaced(len(X), self.landmarks)
        self.rows_ = X[chosen]
        self.row_labels_ = np.asarray(self._fit_labels(self.rows_), dtype=np.int64)
        self.labels_ = self.predict(X)
        return self

    def predict(self, X: Any) -> Labels:
        check_is_fitted(self, "rows_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        _, nearest = KDTree(self.rows_).query(X)
        return self.row_labels_[nearest]

    def _fit_labels(self, rows: Points) -> Labels:
        return (self.clusterer or AgglomerativeClustering()).fit_predict(rows)


class _KeptTrees:
    """What scikit-learn and hdbscan call a memory: a search cuts the tree of the same rows again and again."""

    def cache(self, grow: Callable[..., Any]) -> Callable[..., Any]:
        return lambda rows, *how, **further: _tree(grow, rows, how, further)


@cached(LRUCache(TREES), key=lambda *asked: joblib.hash(asked))
def _tree(grow: Callable[..., Any], rows: Points, how: tuple[Any, ...], further: dict[str, Any]) -> Any:
    return grow(rows, *how, **further)


class Ward(NeighbourLabels):
    """Agglomerative clustering that adds the least variance at each merge (Ward 1963)."""

    def __init__(self, clusters: int = 2, landmarks: int = LANDMARKS) -> None:
        self.clusters = clusters
        self.landmarks = landmarks

    def _fit_labels(self, rows: Points) -> Labels:
        clusters = min(self.clusters, len(rows))
        return AgglomerativeClustering(clusters, linkage="ward", memory=_KeptTrees()).fit_predict(rows)


class Density(NeighbourLabels):
    """HDBSCAN (Campello et al. 2013); `smallest` is the least share of the customers that makes a cluster."""

    def __init__(self, smallest: float = 0.02, samples: int = 5, landmarks: int = LANDMARKS) -> None:
        self.smallest = smallest
        self.samples = samples
        self.landmarks = landmarks

    def _fit_labels(self, rows: Points) -> Labels:
        from hdbscan import HDBSCAN

        size = max(2, round(self.smallest * len(rows)))
        samples = min(self.samples, len(rows) - 1)
        found = HDBSCAN(min_cluster_size=size, min_samples=samples, core_dist_n_jobs=1, memory=_KeptTrees())
        return found.fit_predict(rows)


def _edges(values: Points, count: int) -> Points:
    """Where `count` quantiles meet: the lowest value of each but the first, one of the values themselves."""
    return np.quantile(values, np.arange(1, count) / count, method="higher")


def _slices(points: Points, count: int) -> Points:
    """The mean of each slice, shape (count, dimensions); of an empty one its middle on the axis."""
    centre = points.mean(axis=0)
    axis = svd_flip(*np.linalg.svd(points - centre, full_matrices=False)[::2], u_based_decision=False)[1][0]
    places = (points - centre) @ axis
    low, high = np.quantile(places, [OUTERMOST, 1 - OUTERMOST]).tolist()
    edges = np.linspace(low, high, count + 1)
    found = np.clip(np.digitize(places, edges) - 1, 0, count - 1)
    middles = centre + np.outer((edges[:-1] + edges[1:]) / 2, axis)
    means = [points[found == each].mean(axis=0) if (found == each).any() else middles[each] for each in range(count)]
    return np.array(means)


def _centres_of_parts(points: Points, count: int) -> Points:
    """The mean of each part, shape (count, dimensions); of fewer parts where within each all customers are equal."""
    parts, all_errors = [points], _errors(points)
    while len(parts) < count:
        shares = [round(_errors(part) / all_errors, DIGITS) if all_errors else 0.0 for part in parts]
        worst = int(np.argmax(shares))
        if not shares[worst]:
            break
        parts += _halves(parts.pop(worst))
    return np.array([part.mean(axis=0) for part in parts])


def _errors(part: Points) -> float:
    return float(((part - part.mean(axis=0)) ** 2).sum())


def _halves(part: Points) -> list[Points]:
    """A part, cut at its mean along the axis on which its customers differ most."""
    centred = part - part.mean(axis=0)
    places = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    above = np.round(places / np.abs(places).max(), DIGITS) > 0
    return [part[~above], part[above]]


def _kmeans(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    return Parts(trial.suggest_int("kmeans.clusters", 3, 12))


def _tiers(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    return Tiers(trial.suggest_int("tiers.clusters", 3, 12))


def _cells(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    # At most 15 cells: more foretell a little more, and nobody can name them.
    grid = trial.suggest_categorical("cells.grid", ["5x1", "8x1", "12x1", "3x2", "4x2", "5x2", "7x2", "3x3", "5x3"])
    first, second = map(int, grid.split("x"))
    return Cells(first, second)


def _mixture(trial: Any, seed: int) -> BaseEstimator:
    covariance = trial.suggest_categorical("mixture.covariance", ["full", "diag"])
    return Mixture(trial.suggest_int("mixture.components", 3, 10), covariance, seed)


def _ward(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    return Ward(trial.suggest_int("ward.clusters", 3, 12))


def _hdbscan(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    smallest = trial.suggest_float("hdbscan.smallest", 0.01, 0.08, step=0.01)
    return Density(smallest, trial.suggest_categorical("hdbscan.samples", [2, 5, 10]))


CLUSTERERS: dict[str, Callable[[Any, int], BaseEstimator]] = {
    "kmeans": _kmeans,
    "tiers": _tiers,
    "cells": _cells,
    "mixture": _mixture,
    "ward": _ward,
    "hdbscan": _hdbscan,
}
