"""Customers x products as they were known on a date."""

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Table = Any  # Ibis has no types that mypy could follow
Matrix = Any  # nor have sparse matrices
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Small = NDArray[np.int32]
COMMON = 5000  # products with the most buyers, which alone are recommended: of the others too little is known


class Space(NamedTuple):
    """n customers and m products, these in the order of their buyers: most first, then by code."""

    customers: NDArray[Any]  # n ids
    products: NDArray[Any]  # m codes
    bought: Matrix  # n x m, int64: 1 where the customer bought the product
    age_days: Matrix  # n x m, of the latest purchase; same places as `bought`
    on_sale: NDArray[np.bool_]  # m: somebody bought it in the last days

    @property
    def common(self) -> "Space":
        """The same customers, and of the products the first COMMON."""
        if len(self.products) <= COMMON:
            return self
        products = {name: getattr(self, name)[:COMMON] for name in ("products", "on_sale")}
        return self._replace(**products, bought=self.bought[:, :COMMON], age_days=self.age_days[:, :COMMON])


def purchases(lines: Table, as_of: date) -> Table:
    """One row per customer, product and day of a sale before `as_of`. Services are no lines."""
    sold = lines.filter((lines.kind == "sale") & (lines.ordered_at < as_of))
    return sold.select("customer_id", "product_code", bought_on=sold.ordered_at.truncate("D")).distinct()


def space(bought: pd.DataFrame, at: date, on_sale_days: int) -> Space:
    """What is known of `purchases` on a date; later ones do not even lend it their names.

    A product on sale is one that somebody bought in the last `on_sale_days`.
    """
    from scipy import sparse

    latest = _latest(bought, at)
    by_buyers = np.argsort(-np.bincount(latest.what, minlength=len(latest.codes)), kind="stable")
    what, shape = np.argsort(by_buyers).astype(np.int32)[latest.what], (len(latest.customers), len(latest.codes))
    youngest = np.full(len(latest.codes), np.iinfo(np.int64).max)
    np.minimum.at(youngest, what, latest.age)
    ends = np.cumsum([0, *np.bincount(latest.who, minlength=len(latest.customers))])
    age_days = sparse.csr_array((latest.age.astype(float), what, ends), shape=shape)
    age_days.sort_indices()
    places = (age_days.indices, age_days.indptr)  # which both matrices share
    return Space(
        customers=latest.customers,
        products=latest.codes[by_buyers],
        bought=sparse.csr_array((np.ones(len(what), np.int64), *places), shape=shape),
        age_days=age_days,
        on_sale=youngest <= on_sale_days,
    )


class _Latest(NamedTuple):
    """Of each pair of customer and product, sorted, how many days ago it was bought last; both by their numbers."""

    customers: NDArray[Any]
    codes: NDArray[Any]
    who: Small
    what: Small
    age: Small


def _latest(bought: pd.DataFrame, at: date) -> _Latest:
    """One sort of one number, for millions of rows; in place, since so many numbers take hundreds of megabytes."""
    age = (np.datetime64(at) - bought["bought_on"].to_numpy("datetime64[D]")).astype(np.int32)
    known, days = age > 0, int(age.max(initial=0)) + 1
    number, customers, codes = _pairs(bought, known)
    number *= days
    number += age[known]
    number.sort()
    pair, youngest = np.divmod(number[begins(number // days)], days)
    who, what = np.divmod(pair, max(len(codes), 1))
    return _Latest(customers, codes, *(each.astype(np.int32) for each in (who, what, youngest)))


def _pairs(bought: pd.DataFrame, known: NDArray[np.bool_]) -> tuple[Integers, NDArray[Any], NDArray[Any]]:
    """Of each purchase that is known customer x products + product, and the names of both."""
    number, customers = _numbered(bought["customer_id"], known)
    what, codes = _numbered(bought["product_code"], known)
    number *= len(codes)
    number += what
    return number, customers, codes


def _numbered(names: "pd.Series[str]", known: NDArray[np.bool_]) -> tuple[Integers, NDArray[Any]]:
    """The place of each name among the names in order; of categories, their own order."""
    numbers, distinct = pd.factorize(names[known], sort=True)
    return numbers, distinct.to_numpy(object)


def begins(*sorted_keys: Integers) -> NDArray[np.bool_]:
    """Where a new combination of the keys (0 and up) begins."""
    return np.logical_or.reduce([np.append(np.ones(len(key[:1]), bool), key[1:] != key[:-1]) for key in sorted_keys])


def buyers(known: Space, days: int | None = None) -> Floats:
    """Customers who bought each product, ever or in the last `days`."""
    ages = known.age_days.tocoo()
    recent = ages.col if days is None else ages.col[ages.data <= days]
    return np.bincount(recent, minlength=len(known.products)).astype(float)
