"""Embeddings that learned from an earlier window which customers are worth something later."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.validation import check_is_fitted, validate_data

from insiders.model.embeddings.scaling import DECIMALS, LogScaler, Matrix, axes, median
from insiders.units import evenly_spaced

Grow = Callable[[Matrix, Matrix, int, int, list[int]], ExtraTreesRegressor]

TREES = 60  # of a supervised embedding: beyond this the measures no longer move
LESSONS = 5_000  # past customers that a forest learns from: of more, an evenly spaced part in the order that is given

# What speaks for a customer, all else being equal, and what against: no supervised embedding may learn the contrary.
FOR = ("order_count", "orders_per_month", "order_count_90d", "order_count_180d", "average_order_value")
FOR_IN_MONEY = ("gross_revenue", "net_revenue", "faded_revenue", "net_revenue_90d", "net_revenue_180d")
AGAINST = ("recency_days",)


def grown(scaled: Matrix, target: Matrix, leaf: int, seed: int, signs: list[int]) -> ExtraTreesRegressor:
    """The forest of the supervised embeddings, which none of them changes once it stands.

    `signs`, one for each column: 1 where the prediction may only rise with it, -1 where only fall, 0 where either.
    """
    forest = ExtraTreesRegressor(
        n_estimators=TREES, min_samples_leaf=leaf, random_state=seed, monotonic_cst=signs, n_jobs=1
    )
    return forest.fit(scaled, target)


class _Supervised(TransformerMixin, BaseEstimator):
    """A forest that learned from an earlier window which customers are worth something later.

    The target is the signed square root of the later revenue: between a logarithm, which forgets that the largest
    customers carry the revenue, and money itself, which lets a few of them decide every split.

    `fit` takes an own `grow` in place of `grown` where equal forests are wanted by several embeddings.
    """

    def __init__(self, leaf: int = 20, seed: int = 0) -> None:
        self.leaf = leaf
        self.seed = seed

    def _fit_forest(self, X: Any, y: Any, grow: Grow | None) -> Matrix:
        """Grow the forest; returns the scaled rows that it learned from."""
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", y_numeric=True)
        self.scaler_ = LogScaler().fit(X)
        # In units of the typical later revenue, so that the fit is the same in pounds and in pence.
        unit = median(np.where(y > 0, y, np.nan), empty=1.0)
        target = np.round(np.sign(y) * np.sqrt(np.abs(y) / unit), DECIMALS)
        lessons = evenly_spaced(len(X), LESSONS)
        scaled = self.scaler_.transform(X[lessons])
        self.forest_ = (grow or grown)(scaled, target[lessons], self.leaf, self.seed, self._signs())
        return scaled

    def _signs(self) -> list[int]:
        """0 for a column without a name."""
        names = getattr(self, "feature_names_in_", [""] * self.n_features_in_)
        return [1 if name in FOR + FOR_IN_MONEY else -1 if name in AGAINST else 0 for name in names]

    def _scaled(self, X: Any) -> Matrix:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return self.scaler_.transform(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        return tags


class ForestLeaves(_Supervised):
    """Customers who fall into the same leaves of a supervised forest lie close: leaves -> truncated SVD.

    Leaves are limited by their least size. A transform gathers one vector per tree, which is faster than a product with
    the sparse matrix of leaves.
    """

    def __init__(self, leaf: int = 20, components: int = 4, seed: int = 0) -> None:
        super().__init__(leaf=leaf, seed=seed)
        self.components = components

    def fit(self, X: Any, y: Any, grow: Grow | None = None) -> Self:
        leaves = self.forest_leaves(self._fit_forest(X, y, grow))
        encoder = OneHotEncoder(handle_unknown="ignore").fit(leaves)
        onehot = encoder.transform(leaves)
        rank = max(1, min(self.components, onehot.shape[0] - 1, onehot.shape[1] - 1))
        self.starts_, self.vectors_ = self._gather_table(encoder, axes(onehot, rank, self.seed))
        self._n_features_out = rank
        return self

    def transform(self, X: Any) -> Matrix:
        leaves = self.forest_leaves(self._scaled(X))
        summed = self.vectors_[leaves + self.starts_].sum(axis=1)
        return np.round(summed / np.sqrt(TREES), DECIMALS)

    def forest_leaves(self, scaled: Matrix) -> NDArray[np.int64]:
        rows = np.asarray(scaled, dtype=np.float32)  # as trees are asked
        return np.column_stack([each.tree_.apply(rows) for each in self.forest_.estimators_]).astype(np.int64)

    def _gather_table(self, encoder: OneHotEncoder, vectors: Matrix) -> tuple[NDArray[np.int64], Matrix]:
        """One row per node of every tree; rows of nodes that are no leaf stay zero and are never asked for."""
        sizes = [tree.tree_.node_count for tree in self.forest_.estimators_]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        table = np.zeros((int(np.sum(sizes)), len(vectors)))
        rows = np.concatenate([start + leaves for start, leaves in zip(starts, encoder.categories_, strict=True)])
        table[rows] = vectors.T
        return starts, table


class ValuePlane(_Supervised):
    """Two coordinates: what the past suggests that a customer will bring, and what they have brought.

    `weight` is the share of the first in the distance. `past` is the column of X, by name or position, that holds the
    past value. Both rise with what a customer spends and how lately, all else being equal.
    """

    is_rising = True

    def __init__(self, leaf: int = 20, weight: float = 0.5, past: str | int = 0, seed: int = 0) -> None:
        super().__init__(leaf=leaf, seed=seed)
        self.weight = weight
        self.past = past

    def fit(self, X: Any, y: Any, grow: Grow | None = None) -> Self:
        scaled = self._fit_forest(X, y, grow)
        self.column_ = self.past if isinstance(self.past, int) else list(self.feature_names_in_).index(self.past)
        plane = self._plane(scaled)
        self.centre_ = np.median(plane, axis=0)
        spread = plane.std(axis=0)
        self.spread_ = np.where(spread > 0, spread, 1.0)
        self._n_features_out = 2
        return self

    def transform(self, X: Any) -> Matrix:
        plane = (self._plane(self._scaled(X)) - self.centre_) / self.spread_
        return np.round(plane * [self.weight, 1 - self.weight], DECIMALS)

    def _plane(self, scaled: Matrix) -> Matrix:
        rows = np.asarray(scaled, dtype=np.float32)  # as trees are asked: a forest checks each again
        trees = [each.tree_.predict(rows).ravel() for each in self.forest_.estimators_]
        return np.column_stack([np.mean(trees, axis=0), scaled[:, self.column_]])


def build_leaves(trial: Any, seed: int) -> BaseEstimator:
    leaf = trial.suggest_categorical("leaves.leaf", [20, 40])
    return ForestLeaves(leaf, trial.suggest_categorical("leaves.components", [2, 4]), seed)


def build_value_plane(trial: Any, seed: int) -> BaseEstimator:
    # Few distinct values: a search that shares fitted embeddings between trials fits each forest once.
    leaf = trial.suggest_categorical("value_plane.leaf", [20, 40])
    weight = trial.suggest_categorical("value_plane.weight", [0.2, 0.5, 0.8])
    return ValuePlane(leaf, weight, "faded_revenue", seed)
