"""Behaviour features on one scale, whatever their units."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils.extmath import svd_flip
from sklearn.utils.validation import check_is_fitted, validate_data

from insiders.units import signed_log

Matrix = NDArray[np.float64]

CLIP = 4.0  # deviations from the mean beyond which a customer counts as just as far out
STEPS = 100  # at which the distribution of a column is known
DECIMALS = 8  # kept of a coordinate: what is left of a change of unit is rounding noise below this


class LogScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Signed logarithm of each column relative to its own median size, then centred and scaled, and clipped.

    NaN becomes the column's median. Median and clipping keep one customer of a billion from moving all the others.
    """

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        sizes = np.where(np.abs(X) > 0, np.abs(X), np.nan)
        self.unit_ = np.array([median(column, empty=1.0) for column in sizes.T])
        logs = self._logs(X)
        self.centre_ = np.array([median(column, empty=0.0) for column in logs.T])
        self.spread_ = spread(logs - self.centre_)
        return self

    def transform(self, X: Any) -> Matrix:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        scaled = np.clip((self._logs(X) - self.centre_) / self.spread_, -CLIP, CLIP)
        return np.asarray(np.round(np.where(np.isnan(scaled), 0.0, scaled), DECIMALS), dtype=np.float64)

    def _logs(self, X: Matrix) -> Matrix:
        return signed_log(X, self.unit_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Quantiles(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Each column by its rank among the customers of the fit, from 0 to 1 (`uniform`) or as if drawn from a `normal`.

    NaN becomes the column's median.
    """

    def __init__(self, shape: str = "uniform", seed: int = 0) -> None:
        self.shape = shape
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.middle_ = np.array([median(column, empty=0.0) for column in X.T])
        steps = min(STEPS, len(X))
        self.ranks_ = QuantileTransformer(
            n_quantiles=steps, output_distribution=self.shape, subsample=None, random_state=self.seed
        ).fit(self._whole(X))
        return self

    def transform(self, X: Any) -> Matrix:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return np.asarray(np.round(self.ranks_.transform(self._whole(X)), DECIMALS), dtype=np.float64)

    def _whole(self, X: Matrix) -> Matrix:
        return np.where(np.isnan(X), self.middle_, X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Principal(TransformerMixin, BaseEstimator):
    """Principal components of scaled columns: as many as are asked for, or as the customers and columns have."""

    def __init__(self, components: int = 2) -> None:
        self.components = components

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.scaler_ = LogScaler().fit(X)
        self._n_features_out = min(self.components, *X.shape)
        self.axes_ = PCA(self._n_features_out, svd_solver="full").fit(self.scaler_.transform(X))
        return self

    def transform(self, X: Any) -> Matrix:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return np.asarray(np.round(self.axes_.transform(self.scaler_.transform(X)), DECIMALS), dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def spread(centred: Matrix) -> Matrix:
    """Deviation of each column around 0, 1 where all are equal; what is far out counts as just as far out.

    That is CLIP times a robust deviation (1.4826 x the median absolute one), or no limit where this is zero.
    """
    far = CLIP * 1.4826 * np.array([median(column, empty=0.0) for column in np.abs(centred).T])
    reach = np.where(far > 0, far, np.inf)
    found = np.nanstd(np.clip(centred, -reach, reach), axis=0)
    return np.where(found > 0, found, 1.0)


def median(values: Matrix, empty: float) -> float:
    """Of the values that are known; `empty` where none is."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else empty


def axes(rows: sparse.csr_matrix, rank: int, seed: int) -> Matrix:
    """The first right singular vectors, shape (rank, columns), strongest first; zeros where the data have fewer.

    Exact (by Lanczos iterations), whereas a randomised decomposition depends on its draws. The largest entry of each is
    positive. Unlike TruncatedSVD it does without a variance, which is 0 where everybody buys the same.
    """
    if not rows.nnz:
        return np.zeros((rank, rows.shape[1]))
    if rank < min(rows.shape):
        start = np.random.default_rng(seed).uniform(-1, 1, min(rows.shape))
        left, strength, found = svds(rows, k=rank, v0=start)
    else:
        left, strength, found = np.linalg.svd(rows.toarray(), full_matrices=False)
    _, found = svd_flip(left, found, u_based_decision=False)
    strongest = np.argsort(-strength)[:rank]
    there = strength[strongest] > 10**-DECIMALS * strength.max()
    return np.asarray(found[strongest] * there[:, None], dtype=np.float64)


def build_scaled(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    return LogScaler()


def build_quantile(trial: Any, seed: int) -> BaseEstimator:
    shape = trial.suggest_categorical("quantile.shape", ["uniform", "normal"])
    return Quantiles(shape, seed)


def build_pca(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    return Principal(trial.suggest_int("pca.components", 2, 6))
