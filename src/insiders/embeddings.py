"""EMBEDDINGS: name -> function(trial, seed) -> transformer, an embedding's constructor and search space in one place.

Each is a plain scikit-learn transformer. The supervised ones say so by their tag `target_tags.required`: they are
fitted on an earlier snapshot with the revenue that followed it, never on the customers that they are then applied to.

Every embedding looks at proportions, not at units: money in pence or times 1,000 gives the same coordinates.
"""

import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer
from sklearn.utils.validation import check_is_fitted, validate_data

Matrix = NDArray[np.float64]
Grow = Callable[[Matrix, Matrix, int, int, list[int]], ExtraTreesRegressor]

CLIP = 4.0  # deviations from the mean beyond which a customer counts as just as far out
DECIMALS = 8  # kept of a coordinate: what is left of a change of unit is rounding noise below this
TREES = 60  # of a supervised embedding: beyond this the measures no longer move

# What speaks for a customer, all else being equal, and what against: no supervised embedding may learn the contrary.
FOR = ("order_count", "orders_per_month", "order_count_90d", "order_count_180d", "average_order_value")
FOR_IN_MONEY = ("gross_revenue", "net_revenue", "faded_revenue", "net_revenue_90d", "net_revenue_180d")
AGAINST = ("recency_days",)


class LogScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Signed logarithm of each column relative to its own median size, then centred and scaled, and clipped.

    NaN becomes the column's median. Median and clipping keep one customer of a billion from moving all the others.
    """

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        sizes = np.where(np.abs(X) > 0, np.abs(X), np.nan)
        self.unit_ = np.array([_median(column, empty=1.0) for column in sizes.T])
        logs = self._logs(X)
        self.centre_ = np.array([_median(column, empty=0.0) for column in logs.T])
        spread = np.nanstd(np.clip(logs - self.centre_, *self._bounds(logs)), axis=0)
        self.spread_ = np.where(spread > 0, spread, 1.0)
        return self

    def transform(self, X: Any) -> Matrix:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        scaled = np.clip((self._logs(X) - self.centre_) / self.spread_, -CLIP, CLIP)
        return np.asarray(np.round(np.where(np.isnan(scaled), 0.0, scaled), DECIMALS), dtype=np.float64)

    def _logs(self, X: Matrix) -> Matrix:
        return np.sign(X) * np.log1p(np.abs(X) / self.unit_)

    def _bounds(self, logs: Matrix) -> tuple[Matrix, Matrix]:
        """CLIP times a robust deviation (1.4826 x the median absolute one) each side, none where that is zero."""
        far = np.array([1.4826 * _median(column, empty=0.0) for column in np.abs(logs - self.centre_).T])
        reach = np.where(far > 0, CLIP * far, np.inf)
        return -reach, reach

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


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
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", y_numeric=True)
        self.scaler_ = LogScaler().fit(X)
        # In units of the typical later revenue, so that the fit is the same in pounds and in pence.
        unit = _median(np.where(y > 0, y, np.nan), empty=1.0)
        target = np.round(np.sign(y) * np.sqrt(np.abs(y) / unit), DECIMALS)
        scaled = self.scaler_.transform(X)
        self.forest_ = (grow or grown)(scaled, target, self.leaf, self.seed, self._signs())
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
        svd = TruncatedSVD(rank, algorithm="arpack", random_state=self.seed) if rank > 1 else TruncatedSVD(rank)
        svd.set_params(random_state=self.seed).fit(onehot)
        self.starts_, self.vectors_ = self._gather_table(encoder, svd)
        self._n_features_out = rank
        return self

    def transform(self, X: Any) -> Matrix:
        leaves = self.forest_leaves(self._scaled(X))
        summed = self.vectors_[leaves + self.starts_].sum(axis=1)
        return np.round(summed / np.sqrt(TREES), DECIMALS)

    def forest_leaves(self, scaled: Matrix) -> NDArray[np.int64]:
        return np.asarray(self.forest_.apply(scaled), dtype=np.int64)

    def _gather_table(self, encoder: OneHotEncoder, svd: TruncatedSVD) -> tuple[NDArray[np.int64], Matrix]:
        """One row per node of every tree; rows of nodes that are no leaf stay zero and are never asked for."""
        sizes = [tree.tree_.node_count for tree in self.forest_.estimators_]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        table = np.zeros((int(np.sum(sizes)), svd.components_.shape[0]))
        rows = np.concatenate([start + leaves for start, leaves in zip(starts, encoder.categories_, strict=True)])
        table[rows] = svd.components_.T
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
        return np.column_stack([self.forest_.predict(scaled), scaled[:, self.column_]])


class NeighbourMap(TransformerMixin, BaseEstimator):
    """UMAP (an extra); new customers are placed by the mean of their nearest known neighbours.

    So nobody's place depends on who else is in the batch, and applying it needs neither the extra nor its compiler.
    """

    def __init__(self, neighbours: int = 15, components: int = 2, seed: int = 0) -> None:
        self.neighbours = neighbours
        self.components = components
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        from sklearn.neighbors import NearestNeighbors
        from umap import UMAP

        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.scaler_ = LogScaler().fit(X)
        self.rows_ = self.scaler_.transform(X)
        count = min(self.neighbours, len(self.rows_) - 1)
        distances, indices = NearestNeighbors(n_neighbors=count + 1).fit(self.rows_).kneighbors(self.rows_)
        umap = UMAP(
            n_neighbors=count + 1,
            n_components=self.components,
            random_state=self.seed,
            n_jobs=1,
            precomputed_knn=(indices, distances.astype(np.float32)),
        )
        with warnings.catch_warnings():
            # It says that it will not place new customers, which `transform` does, and uses one thread, as it should.
            warnings.simplefilter("ignore", UserWarning)
            self.map_ = np.asarray(umap.fit_transform(self.rows_), dtype=np.float64)
        self._n_features_out = self.components
        return self

    def transform(self, X: Any) -> Matrix:
        from sklearn.neighbors import KNeighborsRegressor

        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        count = min(self.neighbours, len(self.rows_))
        nearest = KNeighborsRegressor(n_neighbors=count, weights="distance").fit(self.rows_, self.map_)
        return np.round(nearest.predict(self.scaler_.transform(X)), DECIMALS)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _median(values: Matrix, empty: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else empty


def _scaled(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    return LogScaler()


def _quantile(trial: Any, seed: int) -> BaseEstimator:
    shape = trial.suggest_categorical("quantile.shape", ["uniform", "normal"])
    return QuantileTransformer(n_quantiles=100, output_distribution=shape, subsample=None, random_state=seed)


def _pca(trial: Any, seed: int) -> Pipeline:
    components = trial.suggest_int("pca.components", 2, 6)
    return make_pipeline(LogScaler(), PCA(components, svd_solver="full", random_state=seed))


def _leaves(trial: Any, seed: int) -> BaseEstimator:
    leaf = trial.suggest_categorical("leaves.leaf", [20, 40])
    return ForestLeaves(leaf, trial.suggest_categorical("leaves.components", [2, 4]), seed)


def _umap(trial: Any, seed: int) -> BaseEstimator:
    return NeighbourMap(trial.suggest_categorical("umap.neighbours", [10, 15, 30, 60]), seed=seed)


def _value_plane(trial: Any, seed: int) -> BaseEstimator:
    # Few distinct values: a search that shares fitted embeddings between trials fits each forest once.
    leaf = trial.suggest_categorical("value_plane.leaf", [20, 40])
    weight = trial.suggest_categorical("value_plane.weight", [0.2, 0.5, 0.8])
    return ValuePlane(leaf, weight, "faded_revenue", seed)


EMBEDDINGS: dict[str, Callable[[Any, int], BaseEstimator]] = {
    "scaled": _scaled,
    "quantile": _quantile,
    "pca": _pca,
    "leaves": _leaves,
    "umap": _umap,
    "value_plane": _value_plane,
}
