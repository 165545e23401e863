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

    day = bought["bought_on"].to_numpy("datetime64[D]")
    known = day < np.datetime64(at)
    who, customers = _numbered(bought["customer_id"], known)
    what, codes = _numbered(bought["product_code"], known)
    age = (np.datetime64(at) - day[known]).astype(np.int64)
    who_latest, what_latest, age_latest = _latest(who, what, age)
    by_buyers = np.argsort(-np.bincount(what_latest, minlength=len(codes)), kind="stable")
    place, shape = np.argsort(by_buyers), (len(customers), len(codes))
    youngest = np.full(len(codes), np.iinfo(np.int64).max)
    np.minimum.at(youngest, place[what], age)
    where = (who_latest, place[what_latest])
    return Space(
        customers=customers,
        products=codes[by_buyers],
        bought=sparse.csr_array((np.ones(len(who_latest), np.int64), where), shape=shape),
        age_days=sparse.csr_array((age_latest.astype(float), where), shape=shape),
        on_sale=youngest <= on_sale_days,
    )


def _numbered(names: "pd.Series[str]", known: NDArray[np.bool_]) -> tuple[Integers, NDArray[Any]]:
    numbers, distinct = pd.factorize(names[known], sort=True)
    return numbers, distinct.to_numpy(object)


def _latest(who: Integers, what: Integers, age: Integers) -> tuple[Integers, Integers, Integers]:
    """Of each pair of customer and product the latest purchase: one sort of one number, for millions of rows."""
    products, days = what.max(initial=0) + 1, age.max(initial=0) + 1
    pair, youngest = np.divmod(np.sort((who * products + what) * days + age), days)
    first = begins(pair)
    return (*np.divmod(pair[first], products), youngest[first])


def begins(*sorted_keys: Integers) -> NDArray[np.bool_]:
    """Where a new combination of the keys (0 and up) begins."""
    return np.logical_or.reduce([np.diff(key, prepend=-1) != 0 for key in sorted_keys])


def buyers(known: Space, days: int | None = None) -> Floats:
    """Customers who bought each product, ever or in the last `days`."""
    ages = known.age_days.tocoo()
    recent = ages.col if days is None else ages.col[ages.data <= days]
    return np.bincount(recent, minlength=len(known.products)).astype(float)
