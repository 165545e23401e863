"""Behaviour features on one scale, whatever their units."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

Matrix = NDArray[np.float64]

CLIP = 4.0  # deviations from the mean beyond which a customer counts as just as far out
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
        return np.sign(X) * np.log1p(np.abs(X) / self.unit_)

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
