"""The value plane of a lifetime value model: expected orders and spend, probability of being active, past value."""

from dataclasses import replace
from functools import lru_cache
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from insiders.model.embeddings.scaling import CLIP, DECIMALS, Matrix, median, spread
from insiders.units import signed_log
from insiders.value import lifetime

# What such a model is fitted to, and the past value.
COLUMNS = ("recency_days", "tenure_days", "gap_mean_days", "net_revenue", "faded_revenue")
HORIZON_DAYS = 90  # of the expectation; another one moves all customers alike
TINY = 1e-6  # orders, or typical spends: less is not told apart
KEPT = 32  # fitted models: the windows of a search, which several weights share


class LifetimePlane(TransformerMixin, BaseEstimator):
    """Logarithms of past value and of expected revenue; with `parts` also what is behind an expectation.

    The parts are the expected orders and, where the data can tell that customers leave, the probability of being
    active. The value of an order is none, since among customers who spent as much it is lower for those who order more:
    of two with as many orders nobody is behind who spent more or whose last order is later. `future` is the share of
    all but the past value in the distance.

    X has the columns COLUMNS by name or, without names, in this order; one that is missing is 1 for all. Coordinates
    are seen from the median customer, in typical deviations, so that money has no unit.
    """

    is_rising = True

    def __init__(self, future: float = 0.5, parts: bool = True) -> None:
        self.future = future
        self.parts = parts

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        spent = self._taken(X)["net_revenue"]
        self.unit_ = median(np.where(spent > 0, spent, np.nan), empty=1.0)
        known = self._known(X)
        self.model_ = _fitted(np.ascontiguousarray(known).tobytes())
        plane = self._plane(known)
        self.centre_ = np.median(plane, axis=0)
        self.spread_ = spread(plane - self.centre_)
        self._n_features_out = plane.shape[1]
        return self

    def transform(self, X: Any) -> Matrix:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        scaled = np.clip((self._plane(self._known(X)) - self.centre_) / self.spread_, -CLIP, CLIP)
        weights = [1 - self.future] + [self.future] * (scaled.shape[1] - 1)
        return np.asarray(np.round(scaled * weights, DECIMALS), dtype=np.float64)

    def _taken(self, X: Matrix) -> dict[str, Matrix]:
        names = [str(name) for name in getattr(self, "feature_names_in_", COLUMNS[: X.shape[1]])]
        return {name: X[:, names.index(name)] if name in names else np.ones(len(X)) for name in COLUMNS}

    def _known(self, X: Matrix) -> Matrix:
        """COLUMNS with money in units of the typical customer's, and days such as a purchase history can have."""
        taken = self._taken(X)
        recency = np.fmax(taken["recency_days"], 1)
        money = [np.round(taken[name] / self.unit_, DECIMALS) for name in COLUMNS[3:]]
        return np.column_stack([recency, np.fmax(taken["tenure_days"], recency), taken["gap_mean_days"], *money])

    def _plane(self, known: Matrix) -> Matrix:
        expected = lifetime.predict(self.model_, _customers(known), HORIZON_DAYS)
        past = signed_log(known[:, -1])
        orders, active = expected["expected_orders"].to_numpy(), expected["probability_active"].to_numpy()
        plane = [past, _log(orders * expected["expected_order_value"].to_numpy())]
        if self.parts:
            plane += [_log(orders), *([active] if self.model_.dropout_identified else [])]
        return np.column_stack(plane)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _log(amount: Matrix) -> Matrix:
    return np.asarray(np.log(np.maximum(amount, TINY)))


@lru_cache(maxsize=KEPT)
def _fitted(known: bytes) -> lifetime.ValueModel:
    """The model of these customers; when they were is no part of it."""
    customers = _customers(np.frombuffer(known).reshape(-1, len(COLUMNS)))
    if not (customers["net_revenue"] > 0).any():  # then nobody's spend says anything
        customers["net_revenue"] = 1.0
    return replace(lifetime.fit(customers), as_of=None)


def _customers(known: Matrix) -> pd.DataFrame:
    return pd.DataFrame(known, columns=list(COLUMNS)).assign(customer_id="", as_of=pd.Timestamp(0))
