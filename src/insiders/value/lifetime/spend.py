"""Gamma-Gamma: what a customer's order is worth (Fader, Hardie, "The Gamma-Gamma model of monetary value", 2013)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from insiders.errors import InputError
from insiders.units import FITTED_DIGITS, round_off
from insiders.value.lifetime.likelihood import BOUNDS, loss_of_logs, near
from insiders.value.lifetime.optimum import settle
from insiders.value.lifetime.processes import Array

SPEND_FLOOR = 0.01  # of the median spend; below it a mean says how refunds went, not what an order is worth
FINITE_MEAN = 1.01  # the model has a mean for q > 1 only
STARTS = ({"p": 1.0, "q beyond": 2.0, "v": 2.0}, {"p": 6.0, "q beyond": 3.0, "v": 0.5})  # v in typical spends


@dataclass(frozen=True)
class Spend:
    """An order is Gamma(p, rate nu), and nu of a customer is Gamma(q, rate v); v in the currency."""

    p: float
    q: float
    v: float


class Spends(NamedTuple):
    """Customers by their number of orders, few of which are distinct, and the `mean` spend of each customer."""

    orders: Array  # distinct
    which: NDArray[np.intp]  # of them is each customer's
    mean: Array

    def by_orders(self, p: float, q: float) -> tuple[Array, ...]:
        """n, k = p n, log B(k, q), digamma(k + q) and digamma(k) of each customer: dear, so once for equal n."""
        n, k = self.orders, p * self.orders
        return tuple(
            each[self.which] for each in (n, k, special.betaln(k, q), special.digamma(k + q), special.digamma(k))
        )


def fit_net_spend(customers: pd.DataFrame, orders: Array) -> Spend:
    """Fit to each customer's net revenue per order; those far below the typical one are left out.

    Raises InputError where no customer brought anything.
    """
    spend = customers["net_revenue"].to_numpy(dtype=float) / orders
    if not (spend > 0).any():
        raise InputError(f"value.fit: none of {len(spend)} customers has a net_revenue above 0, expected at least 1")
    is_typical = spend > SPEND_FLOOR * np.median(spend[spend > 0])
    return fit_spend(orders[is_typical], spend[is_typical])


def fit_spend(orders: Array, mean_spend: Array) -> Spend:
    """Maximum likelihood from each customer's number of orders and mean spend per order (> 0)."""
    order = np.lexsort((mean_spend, orders))  # the sums below do not depend on the order of the rows
    unit = float(np.median(mean_spend))
    known = Spends(*np.unique(orders[order], return_inverse=True), mean_spend[order] / unit)
    loss = loss_of_logs(lambda parameters: _log_likelihood(parameters, known), len(order))
    p, beyond, v = np.exp(settle(loss, near(loss, STARTS), *BOUNDS))
    return Spend(*round_off([p, FINITE_MEAN + beyond, v * unit], FITTED_DIGITS).tolist())


def _log_likelihood(parameters: Array, known: Spends) -> tuple[float, Array]:
    """For p, q - FINITE_MEAN and v; and its gradient."""
    p, q, v = parameters[0], FINITE_MEAN + parameters[1], parameters[2]
    n, k, beta, digamma, digamma_k = known.by_orders(p, q)
    total = v + n * known.mean
    share = np.log(n * known.mean / total)
    value = -beta + k * share + q * np.log(v / total) - np.log(known.mean)
    d_p, d_q = n * (digamma - digamma_k + share), digamma - special.digamma(q) + np.log(v / total)
    return float(value.sum()), np.array([d_p.sum(), d_q.sum(), (q / v - (k + q) / total).sum()])
