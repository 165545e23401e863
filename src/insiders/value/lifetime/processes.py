"""Processes that say when customers order and when they stop: NBD, BG/NBD and Pareto/NBD.

Sources: Ehrenberg, "The pattern of consumer purchases", 1959 (NBD). Fader, Hardie, Lee, "Counting your customers the
easy way", 2005 (BG/NBD). Schmittlein, Morrison, Colombo, "Counting your customers", 1987 (Pareto/NBD).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

NODES, WEIGHTS = special.roots_sh_legendre(16)  # Gauss-Legendre on 0..1
TINY = 1e-9


class Histories(NamedTuple):
    """Purchase histories: repeat orders x, time of the last order t_x and tenure T, both since the first order."""

    repeats: Array
    last: Array
    tenure: Array


class Terms(NamedTuple):
    """Log-likelihood of a history if the customer is still active and if gone, with gradients (parameters, rows)."""

    active: Array
    gone: Array
    d_active: Array
    d_gone: Array


@dataclass(frozen=True)
class Process:
    """When customers order and stop, for parameters in the order of `starts`; alpha and beta are times."""

    starts: tuple[Mapping[str, float], ...]  # where a fit begins; times in units of the longest history
    terms: Callable[[Array, Histories], Terms]
    orders_if_active: Callable[[Array, Histories, float], Array]  # expected in so much time


def _nbd_terms(parameters: Array, h: Histories) -> Terms:
    r, alpha = parameters
    active = -(r + h.repeats) * np.log(alpha + h.tenure)
    slopes = np.stack([-np.log(alpha + h.tenure), -(r + h.repeats) / (alpha + h.tenure)])
    return Terms(active, np.full_like(active, -np.inf), slopes, np.zeros_like(slopes))


def _nbd_orders(parameters: Array, h: Histories, horizon: float) -> Array:
    r, alpha = parameters
    return (r + h.repeats) * horizon / (alpha + h.tenure)


def _bg_terms(parameters: Array, h: Histories) -> Terms:
    """Equation 6 of Fader, Hardie, Lee in logarithms: after each repeat order a coin decides whether to leave."""
    a, b = parameters[2:]
    x, before = h.repeats, np.maximum(h.repeats - 1, 0)
    coins = special.gammaln(b + x) - special.gammaln(a + b + x) + special.gammaln(a + b) - special.gammaln(b)
    d_a = special.digamma(a + b) - special.digamma(a + b + x)
    d_b = d_a + special.digamma(b + x) - special.digamma(b)
    until_now, until_last = _nbd_terms(parameters[:2], h), _nbd_terms(parameters[:2], h._replace(tenure=h.last))
    return Terms(
        until_now.active + coins,
        np.where(x > 0, until_last.active + coins + np.log(a / (b + before)), -np.inf),
        np.stack([*until_now.d_active, d_a, d_b]),
        np.stack([*until_last.d_active, d_a + 1 / a, d_b - 1 / (b + before)]),
    )


def _bg_orders(parameters: Array, h: Histories, horizon: float) -> Array:
    """Equation 10 of the same, after Euler's transformation: the hypergeometric series then converges fast."""
    r, alpha, a, b = parameters
    z = horizon / (alpha + h.tenure + horizon)
    fewer, coins = (np.where(np.abs(each) < TINY, TINY, each) for each in (a - 1, a + b + h.repeats - 1))
    with np.errstate(invalid="ignore"):
        later = (1 - z) ** fewer * special.hyp2f1(a + b - 1 - r, fewer, coins, z)
    if (over := ~np.isfinite(later)).any():  # all but everybody leaves after an order; the equation as it was does not
        rate, orders = r + h.repeats[over], h.repeats[over]
        later[over] = (1 - z[over]) ** rate * special.hyp2f1(rate, b + orders, coins[over], z[over])
    return coins / fewer * (1 - later)


def _pareto_terms(parameters: Array, h: Histories) -> Terms:
    """An integral over the time tau of leaving, from the last order to today; the usual difference of hypergeometric
    functions would cancel out. Gauss-Legendre nodes on log(c + tau), denser towards the last order by a fifth of the
    integrand's decline there: 16 of them give eight digits, for 0 to hundreds of orders.
    """
    r, alpha, s, beta = parameters
    x, (c, longer), start = h.repeats, sorted((alpha, beta)), h.last + min(alpha, beta)
    span = np.log((c + h.tenure) / start)
    steepness = (r + x) * start / (alpha + h.last) + (s + 1) * start / (beta + h.last) - 1
    decline = np.maximum(span * steepness / 5, 1e-6)
    share = -np.log1p(NODES[:, None] * np.expm1(-decline)) / decline
    ahead = np.log(start) + span * share  # log(c + tau), which is one of the two logarithms below
    tau = np.exp(ahead) - c
    beyond = np.log(longer + tau)
    near, far = (ahead, beyond) if alpha <= beta else (beyond, ahead)
    width = np.log(WEIGHTS)[:, None] + np.log(np.maximum(span, TINY) * -np.expm1(-decline) / decline) + ahead
    pieces = width + decline * share - (r + x) * near - (s + 1) * far
    most = pieces.max(axis=0)
    weight = np.exp(pieces - most)
    total = weight.sum(axis=0)
    weight /= total
    gone = most + np.log(total)
    d_gone_beta = s / beta - (s + 1) * (weight / (beta + tau)).sum(axis=0)
    d_gone_s = 1 / s + np.log(beta) - (weight * far).sum(axis=0)
    d_gone_r = -(weight * near).sum(axis=0)
    d_gone_alpha = -(r + x) * (weight / (alpha + tau)).sum(axis=0)
    rest = np.log(beta) - np.log(beta + h.tenure)
    nbd = _nbd_terms(parameters[:2], h)
    return Terms(
        nbd.active + s * rest,
        np.where(h.last < h.tenure, gone + np.log(s) + s * np.log(beta), -np.inf),
        np.stack([*nbd.d_active, rest, s / beta - s / (beta + h.tenure)]),
        np.stack([d_gone_r, d_gone_alpha, d_gone_s, d_gone_beta]),
    )


def _pareto_orders(parameters: Array, h: Histories, horizon: float) -> Array:
    """(beta + T)(1 - ((beta + T) / (beta + T + t))^(s - 1)) / (s - 1) days of activity, also where s = 1."""
    r, alpha, s, beta = parameters
    stretch = np.log1p(horizon / (beta + h.tenure))
    active_time = (beta + h.tenure) * stretch * special.exprel(-(s - 1) * stretch)
    return (r + h.repeats) / (alpha + h.tenure) * active_time


# Where the fits begin: two points where there is dropout, likely and rare.
RATE = {"r": 0.7, "alpha": 0.2}
COINS = ({**RATE, "a": 1.0, "b": 2.0}, {**RATE, "a": 0.05, "b": 2.0})
LIVES = ({**RATE, "s": 0.6, "beta": 0.3}, {**RATE, "s": 0.1, "beta": 1.0})
PROCESSES: Mapping[str, Process] = {
    "nbd": Process((RATE,), _nbd_terms, _nbd_orders),
    "bg_nbd": Process(COINS, _bg_terms, _bg_orders),
    "pareto_nbd": Process(LIVES, _pareto_terms, _pareto_orders),
}
