"""Spaces of a lifetime value model: expected orders and spend, probability of being active, past value."""

from dataclasses import replace
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
SMALL_CHANGE = 1e-3  # typical spends of a customer: about a coin, whatever the currency


class _LifetimeSpace(TransformerMixin, BaseEstimator):
    """Coordinates out of a lifetime value model of the fit's customers; a subclass says which.

    X has the columns COLUMNS by name or, without names, in this order; one that is missing is 1 for all. Coordinates
    are seen from the median customer, in typical deviations, so that money has no unit.
    """

    is_rising = True
    clip = CLIP  # deviations beyond which a customer counts as just as far out

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        spent = self._taken(X)["net_revenue"]
        self.unit_ = median(np.where(spent > 0, spent, np.nan), empty=1.0)
        known = self._known(X)
        self.model_ = _fitted(known)
        places = self._coordinates(known)
        self.centre_ = np.median(places, axis=0)
        self.spread_ = spread(places - self.centre_)
        self._n_features_out = places.shape[1]
        return self

    def transform(self, X: Any) -> Matrix:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        scaled = (self._coordinates(self._known(X)) - self.centre_) / self.spread_
        return np.asarray(
            np.round(np.clip(scaled, -self.clip, self.clip) * self._weights(), DECIMALS), dtype=np.float64
        )

    def _coordinates(self, known: Matrix) -> Matrix:
        """Shape (customers, dimensions), each rising with value."""
        raise NotImplementedError

    def _weights(self) -> list[float]:
        """Of the coordinates in a distance."""
        return [1.0] * len(self.spread_)

    def _expected(self, known: Matrix) -> dict[str, Matrix]:
        return lifetime.expect(self.model_, _customers(known), HORIZON_DAYS)

    def _taken(self, X: Matrix) -> dict[str, Matrix]:
        names = [str(name) for name in getattr(self, "feature_names_in_", COLUMNS[: X.shape[1]])]
        return {name: X[:, names.index(name)] if name in names else np.ones(len(X)) for name in COLUMNS}

    def _known(self, X: Matrix) -> Matrix:
        """COLUMNS with money in units of the typical customer's, and days such as a purchase history can have."""
        taken = self._taken(X)
        recency = np.fmax(taken["recency_days"], 1)
        money = [np.round(taken[name] / self.unit_, DECIMALS) for name in COLUMNS[3:]]
        return np.column_stack([recency, np.fmax(taken["tenure_days"], recency), taken["gap_mean_days"], *money])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class LifetimePlane(_LifetimeSpace):
    """Logarithms of past value and of expected revenue; with `parts` also what is behind an expectation.

    The parts are the expected orders and, where the data can tell that customers leave, the probability of being
    active. The value of an order is none, since among customers who spent as much it is lower for those who order more:
    of two with as many orders nobody is behind who spent more or whose last order is later. `future` is the share of
    all but the past value in the distance.
    """

    def __init__(self, future: float = 0.5, parts: bool = True) -> None:
        self.future = future
        self.parts = parts

    def _weights(self) -> list[float]:
        return [1 - self.future] + [self.future] * (len(self.spread_) - 1)

    def _coordinates(self, known: Matrix) -> Matrix:
        expected = self._expected(known)
        orders, active = expected["expected_orders"], expected["probability_active"]
        plane = [signed_log(known[:, -1]), _log(orders * expected["expected_order_value"])]
        if self.parts:
            plane += [_log(orders), *([active] if self.model_.dropout_identified else [])]
        return np.column_stack(plane)


class LifetimeAxes(_LifetimeSpace):
    """Axes by name, the most telling first: what foretells most, for clusterers that cut along them.

    `log_revenue` is what log(1 + next revenue) is expected to be: the probability of an order times the logarithm of
    the expected revenue, which is what foresight is measured by. `orders` is the logarithm of the expected orders, and
    `past` that of the faded revenue. Nothing is clipped: cuts by rank are not stretched by who is far out, and where
    most customers never come back, all who may would count as just as far.
    """

    clip = np.inf

    def __init__(self, axes: tuple[str, ...] = ("log_revenue", "past")) -> None:
        self.axes = axes

    def _coordinates(self, known: Matrix) -> Matrix:
        expected = self._expected(known)
        chance, revenue = expected["probability_order"], expected["expected_revenue"]
        places = {
            "log_revenue": chance * signed_log(revenue, SMALL_CHANGE),
            "orders": _log(expected["expected_orders"]),
            "past": signed_log(known[:, -1]),
        }
        return np.column_stack([places[name] for name in self.axes])


def _log(amount: Matrix) -> Matrix:
    return np.asarray(np.log(np.maximum(amount, TINY)))


def _fitted(known: Matrix) -> lifetime.ValueModel:
    """The model of these customers; when they were is no part of it."""
    customers = _customers(known)
    if not (customers["net_revenue"] > 0).any():  # then nobody's spend says anything
        customers["net_revenue"] = 1.0
    return replace(lifetime.fit(customers), as_of=None)


def _customers(known: Matrix) -> pd.DataFrame:
    return pd.DataFrame(known, columns=list(COLUMNS)).assign(customer_id="", as_of=pd.Timestamp(0))


def build_lifetime_plane(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    future = trial.suggest_categorical("lifetime_plane.future", [0.2, 0.5, 0.8])
    return LifetimePlane(future, trial.suggest_categorical("lifetime_plane.parts", [False, True]))


def build_lifetime_axes(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    choices = ["log_revenue", "log_revenue past", "past orders"]
    return LifetimeAxes(tuple(trial.suggest_categorical("lifetime_axes.axes", choices).split()))
