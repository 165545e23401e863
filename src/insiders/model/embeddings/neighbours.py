"""UMAP's map of the customers, in which new ones are placed by their nearest known neighbours."""

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from insiders.model.embeddings.scaling import DECIMALS, LogScaler, Matrix


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

        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
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


def build_umap(trial: Any, seed: int) -> BaseEstimator:
    return NeighbourMap(trial.suggest_categorical("umap.neighbours", [10, 15, 30, 60]), seed=seed)
