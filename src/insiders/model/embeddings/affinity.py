"""Who buys the same products: texts of product codes -> counts -> TF-IDF -> truncated SVD.

The basis is learned from the customers of the fit; each customer is then placed by their own products alone.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from insiders.model.embeddings.scaling import DECIMALS, LogScaler, Matrix, axes
from insiders.units import PRODUCT_SEPARATOR

PRODUCTS = "products"  # the column of the customers' table


class ProductCounts(TransformerMixin, BaseEstimator):
    """Texts of product codes to a sparse matrix (customers, products), 1 where the customer bought the product.

    `fewest` is the number of customers whom a product needs to be counted; where no product has so many, all are.
    Products that the fit did not know are ignored.
    """

    def __init__(self, fewest: int = 5) -> None:
        self.fewest = fewest

    def fit(self, X: Iterable[str], y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        buyers = Counter(chain.from_iterable(_codes(X)))
        common = [code for code, count in buyers.items() if count >= self.fewest]
        self.products_ = sorted(common or buyers or [""])  # without any product: one that nobody buys
        return self

    def transform(self, X: Iterable[str]) -> sparse.csr_matrix:
        check_is_fitted(self)
        place = {code: number for number, code in enumerate(self.products_)}
        found = [[place[code] for code in codes if code in place] for codes in _codes(X)]
        ends = np.cumsum([0, *map(len, found)])
        columns = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=ends[-1])
        return sparse.csr_matrix((np.ones(ends[-1]), columns, ends), shape=(len(found), len(place)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags


class ProductAffinity(TransformerMixin, BaseEstimator):
    """Counts (customers, products), dense or sparse, to directions of taste: who buys the same lies close.

    A product weighs the more, the fewer customers buy it. Every customer has the same length, whatever they buy, and
    is seen from the mean of the fit; who bought nothing that the fit knew is put there.
    """

    def __init__(self, components: int = 8, seed: int = 0) -> None:
        self.components = components
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64)
        check_non_negative(X, "ProductAffinity")
        self.weights_ = TfidfTransformer().fit(X)
        weighted = self.weights_.transform(X)
        self.axes_ = axes(weighted, max(1, min(self.components, *(size - 1 for size in X.shape))), self.seed)
        self.centre_ = self._directions(weighted).mean(axis=0)
        self._n_features_out = len(self.axes_)
        return self

    def transform(self, X: Any) -> Matrix:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        found = self._directions(self.weights_.transform(X))
        known = found.any(axis=1, keepdims=True)
        return np.asarray(np.round((found - self.centre_) * known, DECIMALS), dtype=np.float64)

    def _directions(self, weighted: Any) -> Matrix:
        """Rows of length 1, or of zeros where a customer has nothing to do with any direction."""
        placed = np.asarray(weighted @ self.axes_.T)
        return np.asarray(normalize(np.where(np.abs(placed) > 10**-DECIMALS, placed, 0.0)), dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse, tags.input_tags.positive_only = True, True
        return tags


class UnitSpread(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Divide by the root of the variance of all columns together, so that groups of columns can be weighed."""

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        X = validate_data(self, X, dtype=np.float64)
        self.spread_ = float(np.sqrt(X.var(axis=0).sum())) or 1.0
        return self

    def transform(self, X: Any) -> Matrix:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(np.round(X / self.spread_, DECIMALS), dtype=np.float64)


def _codes(texts: Iterable[str]) -> list[list[str]]:
    return [text.split(PRODUCT_SEPARATOR) if text else [] for text in texts]


def build_affinity(trial: Any, seed: int) -> BaseEstimator:
    components = trial.suggest_categorical("affinity.components", [4, 8, 12])
    return ColumnTransformer([(PRODUCTS, _by_products(components, seed), PRODUCTS)])


def build_affinity_scaled(trial: Any, seed: int) -> BaseEstimator:
    """Products and behaviour, each of a variance of 1 in all; `weight` is the products' share in the distance."""
    components = trial.suggest_categorical("affinity_scaled.components", [4, 8, 12])
    weight = trial.suggest_categorical("affinity_scaled.weight", [0.2, 0.35, 0.5])
    return ColumnTransformer(
        [(PRODUCTS, _by_products(components, seed), PRODUCTS)],
        remainder=make_pipeline(LogScaler(), UnitSpread()),
        transformer_weights={PRODUCTS: weight, "remainder": 1 - weight},
    )


def _by_products(components: int, seed: int) -> Pipeline:
    return make_pipeline(ProductCounts(), ProductAffinity(components, seed), UnitSpread())
