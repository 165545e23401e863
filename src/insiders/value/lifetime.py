"""Lifetime value: expected orders, spend and revenue of each customer in the coming days, with an interval.

An order is counted once a day: invoices split over one day are no repeat purchases, and taken as such they look like
customers who buy in a burst and leave (the dropout that such a fit "finds" in the real data is this and nothing else).

Orders come from a negative binomial process with or without dropout, spend from Gamma-Gamma. Sources:
NBD: Ehrenberg, "The pattern of consumer purchases", 1959. Pareto/NBD: Schmittlein, Morrison, Colombo, "Counting your
customers", 1987. BG/NBD: Fader, Hardie, Lee, "Counting your customers the easy way", 2005. Gamma-Gamma: Fader, Hardie,
"The Gamma-Gamma model of monetary value", 2013. Calibration line: Cox, "Two further applications of a model for binary
regression", 1958, carried over to revenue.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from insiders.errors import InputError
from insiders.units import COVERAGE, FITTED_DIGITS, YEAR_DAYS, round_off
from insiders.value.optimum import Loss, descend, settle

Array = NDArray[np.float64]

LEVELS = ((1 - COVERAGE) / 2, COVERAGE, (1 + COVERAGE) / 2)  # of the ends of an interval: both, or from 0 to the second
DROPOUT_EVIDENCE = 5.99  # twice the gain in log-likelihood: chi-square, 2 parameters more, 95 %
SPEND_FLOOR = 0.01  # of the median spend; below it a mean says how refunds went, not what an order is worth
UNSEEN_SEASON = 1.24  # an autumn brought the public data 24 % more orders than the year until then let expect
NODES, WEIGHTS = special.roots_sh_legendre(16)  # Gauss-Legendre on 0..1
MIDPOINTS = (np.arange(20) + 0.5) / 20
BOUNDS = (-12.0, 6.0)  # of a parameter's logarithm; beyond them the data do not tell values apart
FINITE_MEAN = 1.01  # Gamma-Gamma has a mean for q > 1 only
TINY = 1e-9
LIKELIHOOD_DECIMALS = 3  # of a log-likelihood near its maximum, where descents still differ in the fifth


class Histories(NamedTuple):
    """Purchase histories: repeat orders x, time of the last order t_x and time seen T, both since the first order."""

    repeats: Array
    last: Array
    seen: Array


class Terms(NamedTuple):
    """Log-likelihood of a history if the customer is still active and if gone, with gradients (parameters, rows)."""

    active: Array
    gone: Array
    d_active: Array
    d_gone: Array


@dataclass(frozen=True)
class Process:
    """When customers order and stop, for parameters in the order of `starts`; alpha and beta are times."""

    starts: tuple[dict[str, float], ...]  # times in units of the longest history
    terms: Callable[[Array, Histories], Terms]
    orders_if_active: Callable[[Array, Histories, float], Array]


@dataclass(frozen=True)
class Spend:
    """Gamma-Gamma: an order is Gamma(p, rate nu), nu of a customer is Gamma(q, rate v); v in the currency."""

    p: float
    q: float
    v: float


@dataclass(frozen=True)
class Calibration:
    """Revenue is exp(level) x expected ^ slope; `levels` of its distribution hold LEVELS of the outcomes."""

    level: float = 0.0
    slope: float = 1.0
    levels: tuple[float, ...] = LEVELS
    season: float = 1.0
    windows: int = 0


@dataclass(frozen=True)
class ValueModel:
    """Fitted parameters (times in days), and in `notes` what the data could not tell, in sentences."""

    process: str
    parameters: dict[str, float]
    log_likelihoods: dict[str, float]
    dropout_identified: bool
    spend: Spend
    calibration: Calibration
    as_of: pd.Timestamp
    notes: tuple[str, ...]


class Foresight(NamedTuple):
    """One entry per customer. Revenue is 0 with probability `none`, else `scale` x a beta prime (`shape`, `memory`)."""

    active: Array
    orders: Array
    value: Array
    none: Array
    shape: Array
    memory: Array
    scale: Array


def _nbd_terms(parameters: Array, h: Histories) -> Terms:
    r, alpha = parameters
    active = -(r + h.repeats) * np.log(alpha + h.seen)
    slopes = np.stack([-np.log(alpha + h.seen), -(r + h.repeats) / (alpha + h.seen)])
    return Terms(active, np.full_like(active, -np.inf), slopes, np.zeros_like(slopes))


def _nbd_orders(parameters: Array, h: Histories, horizon: float) -> Array:
    r, alpha = parameters
    return (r + h.repeats) * horizon / (alpha + h.seen)


def _bg_terms(parameters: Array, h: Histories) -> Terms:
    """Equation 6 of Fader, Hardie, Lee in logarithms: a coin after each repeat order decides on leaving."""
    a, b = parameters[2:]
    x, before = h.repeats, np.maximum(h.repeats - 1, 0)
    coins = special.gammaln(b + x) - special.gammaln(a + b + x) + special.gammaln(a + b) - special.gammaln(b)
    d_a = special.digamma(a + b) - special.digamma(a + b + x)
    d_b = d_a + special.digamma(b + x) - special.digamma(b)
    until_now, until_last = _nbd_terms(parameters[:2], h), _nbd_terms(parameters[:2], h._replace(seen=h.last))
    return Terms(
        until_now.active + coins,
        np.where(x > 0, until_last.active + coins + np.log(a / (b + before)), -np.inf),
        np.stack([*until_now.d_active, d_a, d_b]),
        np.stack([*until_last.d_active, d_a + 1 / a, d_b - 1 / (b + before)]),
    )


def _bg_orders(parameters: Array, h: Histories, horizon: float) -> Array:
    """Equation 10 of the same, after Euler's transformation: the hypergeometric series then converges fast."""
    r, alpha, a, b = parameters
    z = horizon / (alpha + h.seen + horizon)
    fewer, coins = (np.where(np.abs(each) < TINY, TINY, each) for each in (a - 1, a + b + h.repeats - 1))
    return coins / fewer * (1 - (1 - z) ** fewer * special.hyp2f1(a + b - 1 - r, fewer, coins, z))


def _pareto_terms(parameters: Array, h: Histories) -> Terms:
    """Sum over the time tau of leaving, from the last order to today, where the usual difference of hypergeometric
    functions cancels out. The nodes lie on log(c + tau), crowded by a fifth of the integrand's decline at its start:
    16 of them then give eight digits, from 0 to hundreds of orders.
    """
    r, alpha, s, beta = parameters
    x, c = h.repeats, min(alpha, beta)
    span = np.log((c + h.seen) / (c + h.last))
    steepness = (r + x) * (c + h.last) / (alpha + h.last) + (s + 1) * (c + h.last) / (beta + h.last) - 1
    decline = np.maximum(span * steepness / 5, 1e-6)
    share = -np.log1p(NODES[:, None] * np.expm1(-decline)) / decline
    tau = (c + h.last) * np.exp(span * share) - c
    width = WEIGHTS[:, None] * np.maximum(span, TINY) * -np.expm1(-decline) / decline * (c + tau)
    near, far = np.log(alpha + tau), np.log(beta + tau)
    pieces = np.log(width) + decline * share - (r + x) * near - (s + 1) * far
    gone = special.logsumexp(pieces, axis=0)
    weight = np.exp(pieces - gone)
    d_gone_beta = s / beta - (s + 1) * (weight / (beta + tau)).sum(axis=0)
    d_gone_s = 1 / s + np.log(beta) - (weight * far).sum(axis=0)
    d_gone_r = -(weight * near).sum(axis=0)
    d_gone_alpha = -(r + x) * (weight / (alpha + tau)).sum(axis=0)
    rest = np.log(beta) - np.log(beta + h.seen)
    nbd = _nbd_terms(parameters[:2], h)
    return Terms(
        nbd.active + s * rest,
        np.where(h.last < h.seen, gone + np.log(s) + s * np.log(beta), -np.inf),
        np.stack([*nbd.d_active, rest, s / beta - s / (beta + h.seen)]),
        np.stack([d_gone_r, d_gone_alpha, d_gone_s, d_gone_beta]),
    )


def _pareto_orders(parameters: Array, h: Histories, horizon: float) -> Array:
    """(beta + T)(1 - ((beta + T) / (beta + T + t))^(s - 1)) / (s - 1) days of activity, also where s = 1."""
    r, alpha, s, beta = parameters
    stretch = np.log1p(horizon / (beta + h.seen))
    active_time = (beta + h.seen) * stretch * special.exprel(-(s - 1) * stretch)
    return (r + h.repeats) / (alpha + h.seen) * active_time


RATE = {"r": 0.7, "alpha": 0.2}
COINS = ({**RATE, "a": 1.0, "b": 2.0}, {**RATE, "a": 0.05, "b": 2.0})
SPENDS = ({"p": 1.0, "q beyond": 2.0, "v": 2.0}, {"p": 6.0, "q beyond": 3.0, "v": 0.5})  # v in typical spends
LIVES = ({**RATE, "s": 0.6, "beta": 0.3}, {**RATE, "s": 0.1, "beta": 1.0})
PROCESSES = {
    "nbd": Process((RATE,), _nbd_terms, _nbd_orders),
    "bg_nbd": Process(COINS, _bg_terms, _bg_orders),
    "pareto_nbd": Process(LIVES, _pareto_terms, _pareto_orders),
}


def log_likelihood(process: Process, parameters: Array, h: Histories, count: Array) -> tuple[float, Array]:
    """Of `count` customers with each history; the second value is its gradient."""
    r, alpha = parameters[:2]
    terms = process.terms(parameters, h)
    either = np.logaddexp(terms.active, terms.gone)
    active = np.exp(terms.active - either)
    value = special.gammaln(r + h.repeats) - special.gammaln(r) + r * np.log(alpha) + either
    gradient = active * terms.d_active + (1 - active) * terms.d_gone
    gradient[0] += special.digamma(r + h.repeats) - special.digamma(r) + np.log(alpha)
    gradient[1] += r / alpha
    return float((count * value).sum()), (count * gradient).sum(axis=1)


def fit_process(process: Process, h: Histories, count: Array) -> tuple[dict[str, float], float]:
    """Maximum likelihood: the parameters, in the unit of the times given, and the log-likelihood."""
    loss = _process_loss(process, h, count)
    best = settle(loss, _near(loss, process.starts), *BOUNDS)
    return _parameters(process, best, h), _likelihood(loss, best, h, count)


def _process_loss(process: Process, h: Histories, count: Array) -> Loss:
    """Of the logarithms of the parameters, in times of the longest history and per customer: all of the order of 1."""
    scaled = Histories(h.repeats, h.last / h.seen.max(), h.seen / h.seen.max())
    return _loss(lambda parameters: log_likelihood(process, parameters, scaled, count), count.sum())


def _loss(likelihood: Callable[[Array], tuple[float, Array]], size: float) -> Loss:
    """Of the logarithms of the parameters, which must be positive."""

    def loss(logs: Array) -> tuple[float, Array]:
        value, gradient = likelihood(np.exp(logs))
        return -value / size, -gradient * np.exp(logs) / size

    return loss


def _near(loss: Loss, starts: tuple[dict[str, float], ...]) -> Array:
    return descend(loss, [np.log(list(start.values())) for start in starts], *BOUNDS)


def _likelihood(loss: Loss, logs: Array, h: Histories, count: Array) -> float:
    value = -loss(logs)[0] * count.sum() - (count * h.repeats).sum() * np.log(h.seen.max())
    return round(float(value), LIKELIHOOD_DECIMALS)


def _parameters(process: Process, logs: Array, h: Histories) -> dict[str, float]:
    scales = [float(h.seen.max()) if name in {"alpha", "beta"} else 1.0 for name in process.starts[0]]
    return dict(zip(process.starts[0], round_off(np.exp(logs) * scales, FITTED_DIGITS).tolist(), strict=True))


def fit_spend(orders: Array, mean_spend: Array) -> Spend:
    """Maximum likelihood of Gamma-Gamma from each customer's number of orders and mean spend per order (> 0)."""
    order = np.lexsort((mean_spend, orders))  # the sums below depend on no order of the rows
    unit = float(np.median(mean_spend))
    n, z = orders[order], mean_spend[order] / unit

    def likelihood(parameters: Array) -> tuple[float, Array]:
        p, q, v = parameters[0], FINITE_MEAN + parameters[1], parameters[2]
        k, total = p * n, v + n * z
        share = np.log(n * z / total)
        value = -special.betaln(k, q) + k * share + q * np.log(v / total) - np.log(z)
        digamma = special.digamma(k + q)
        d_p, d_q = n * (digamma - special.digamma(k) + share), digamma - special.digamma(q) + np.log(v / total)
        return float(value.sum()), np.array([d_p.sum(), d_q.sum(), (q / v - (k + q) / total).sum()])

    loss = _loss(likelihood, len(n))
    p, beyond, v = np.exp(settle(loss, _near(loss, SPENDS), *BOUNDS))
    return Spend(*round_off([p, FINITE_MEAN + beyond, v * unit], FITTED_DIGITS).tolist())


def fit(customers: pd.DataFrame) -> ValueModel:
    """Fit to customers as of one date (schemas.CUSTOMERS); dropout is kept only where the likelihood asks for it."""
    h = _histories(customers)
    spend = _fit_net_spend(customers, h.repeats + 1)
    distinct, count = np.unique(np.stack(h, axis=1), axis=0, return_counts=True)
    known, weight = Histories(*distinct.T), count.astype(float)
    losses = {name: _process_loss(each, known, weight) for name, each in PROCESSES.items()}
    near = {name: _near(losses[name], each.starts) for name, each in PROCESSES.items()}
    values = {name: _likelihood(losses[name], logs, known, weight) for name, logs in near.items()}
    best = max(values, key=lambda name: values[name])
    gain = 2 * (values[best] - values["nbd"])
    chosen = best if gain > DROPOUT_EVIDENCE else "nbd"
    return ValueModel(
        process=chosen,
        parameters=_parameters(PROCESSES[chosen], settle(losses[chosen], near[chosen], *BOUNDS), known),
        log_likelihoods=values,
        dropout_identified=chosen != "nbd",
        spend=spend,
        calibration=Calibration(),
        as_of=customers["as_of"].max(),
        notes=(_dropout_note(chosen, gain), "No past window has tested the interval: it is the model's own."),
    )


def predict(model: ValueModel, customers: pd.DataFrame, horizon_days: float) -> pd.DataFrame:
    """One row per customer, in their order: what the `horizon_days` after the customers' as_of are expected to bring.

    expected_orders counts days with an order; expected_revenue is their product with expected_order_value, calibrated.
    80 % of the outcomes lie from expected_low to expected_high, which also hold the expected revenue. Net revenue
    below 0 is taken as 0: refunds of the past forecast no refunds.
    """
    seen = _foresee(model, customers, horizon_days)
    line = model.calibration
    expected = _on_line(line, seen.orders * seen.value)
    low, high = _interval(seen, line.levels)
    factor = expected / np.maximum(seen.orders * seen.value, TINY)
    figures = {
        "expected_orders": seen.orders,
        "probability_active": seen.active,
        "probability_order": 1 - seen.none,
        "expected_order_value": seen.value,
        "expected_revenue": expected,
        "expected_low": np.minimum(low * factor / line.season, expected),
        "expected_high": np.maximum(high * factor * line.season, expected),
    }
    rounded = {name: round_off(each, FITTED_DIGITS) for name, each in figures.items()}
    return pd.DataFrame({"customer_id": customers["customer_id"].to_numpy(), **rounded})


def calibrate(model: ValueModel, history: pd.DataFrame, horizon_days: int) -> ValueModel:
    """Correct level, slope and width by what came after earlier dates (schemas.SNAPSHOTS).

    Only windows count that had ended by the model's as_of and had seen as long as they foretell; each is predicted by
    a model fitted at its own start.
    """
    ended = history["as_of"] + pd.Timedelta(days=horizon_days) <= model.as_of
    seen_long = history.groupby("as_of")["tenure_days"].transform("max") >= horizon_days
    past = history[ended & seen_long & history["next_revenue"].notna()].sort_values("as_of", kind="stable")
    if past.empty or past["next_revenue"].sum() <= 0:
        return model
    each = [_foresee(fit(window), window, horizon_days) for _, window in past.groupby("as_of")]
    seen = Foresight(*(np.concatenate(parts) for parts in zip(*each, strict=True)))
    expected, actual = seen.orders * seen.value, past["next_revenue"].to_numpy(dtype=float)
    line = _calibration_line(expected, actual)
    money = np.maximum(actual, 0) * expected / _on_line(line, expected)
    reached = seen.none + (1 - seen.none) * special.betainc(seen.shape, seen.memory, money / (money + seen.scale))
    start = np.where(actual > 0, reached, 0.0)[:, None]  # an outcome of 0 stands for every level that means 0
    levels = np.quantile(start + (reached[:, None] - start) * MIDPOINTS, LEVELS)
    days = (past["as_of"].max() - past["as_of"].min()).days + horizon_days
    season = UNSEEN_SEASON if days < YEAR_DAYS else 1.0
    tested = replace(line, levels=tuple(np.round(levels, FITTED_DIGITS).tolist()), season=season, windows=len(each))
    return replace(model, calibration=tested, notes=(model.notes[0], _interval_note(tested)))


def _histories(customers: pd.DataFrame) -> Histories:
    """Repeat order days follow from the mean gap between two of them."""
    seen = customers["tenure_days"].to_numpy(dtype=float)
    last = seen - customers["recency_days"].to_numpy(dtype=float)
    gap = customers["gap_mean_days"].to_numpy(dtype=float, na_value=np.nan)
    return Histories(np.nan_to_num(np.round(last / np.where(gap > 0, gap, np.nan))), last, seen)


def _fit_net_spend(customers: pd.DataFrame, orders: Array) -> Spend:
    spend = customers["net_revenue"].to_numpy(dtype=float) / orders
    if not (spend > 0).any():
        raise InputError(f"value.fit: none of {len(spend)} customers has a net_revenue above 0, expected at least 1")
    kept = spend > SPEND_FLOOR * np.median(spend[spend > 0])
    return fit_spend(orders[kept], spend[kept])


def _dropout_note(chosen: str, gain: float) -> str:
    evidence = f"twice the log-likelihood gained is {gain:.1f}, {DROPOUT_EVIDENCE} are needed"
    if chosen == "nbd":
        return f"Whether customers leave cannot be told from this history ({evidence}): all are taken as active."
    return f"Customers leave, as {chosen} describes it ({evidence})."


def _interval_note(tested: Calibration) -> str:
    held = f"Between its levels lay {COVERAGE:.0%} of the outcomes of {tested.windows} past windows"
    season = f"they cover less than a year, so both ends are moved out by {tested.season - 1:.0%} for a season"
    return f"{held}; {season if tested.season > 1 else 'they cover a year'}."


def _foresee(model: ValueModel, customers: pd.DataFrame, horizon_days: float) -> Foresight:
    """Take orders as negative binomial if active, and their sum, if there are any, as a gamma of equal two moments."""
    process, parameters, spend = PROCESSES[model.process], np.array(list(model.parameters.values())), model.spend
    h = _histories(customers)
    terms = process.terms(parameters, h)
    active = np.maximum(np.exp(terms.active - np.logaddexp(terms.active, terms.gone)), TINY)
    mean, size = process.orders_if_active(parameters, h, horizon_days), parameters[0] + h.repeats
    some = active * -np.expm1(-size * np.log1p(mean / size))
    count = active * mean / some
    variance = active * (mean + mean**2 * (1 + 1 / size)) / some - count**2
    inflation = 1 + spend.p * np.maximum(variance, 0) / count
    memory = spend.p * (h.repeats + 1) + spend.q
    rate = spend.v + np.maximum(customers["net_revenue"].to_numpy(dtype=float), 0)
    value = spend.p * rate / (memory - 1)
    return Foresight(active, active * mean, value, 1 - some, spend.p * count / inflation, memory, inflation * rate)


def _interval(seen: Foresight, levels: tuple[float, ...]) -> tuple[Array, Array]:
    """Leave out as much on both sides, or all of it above where the lower end is 0 anyway."""
    low, upper, high = (_quantile(seen, level) for level in levels)
    return low, np.where(low > 0, high, upper)


def _quantile(seen: Foresight, level: float) -> Array:
    within = np.maximum(level - seen.none, 0) / (1 - seen.none)
    share = special.betaincinv(seen.shape, seen.memory, within)
    return seen.scale * share / (1 - share)


def _on_line(line: Calibration, revenue: Array) -> Array:
    return np.exp(line.level) * revenue**line.slope


def _calibration_line(expected: Array, actual: Array) -> Calibration:
    """Poisson quasi-likelihood of revenue on the logarithm of its expectation: keeps the total and the order."""
    order = np.lexsort((actual, expected))  # the sums below depend on no order of the rows
    unit = float(expected[order].mean())
    x, y = np.log(np.maximum(expected[order] / unit, TINY)), actual[order] / unit

    def loss(line: Array) -> tuple[float, Array]:
        fitted = np.exp(line[0] + line[1] * x)
        value = float((fitted - y * (line[0] + line[1] * x)).mean())
        return value, np.array([(fitted - y).mean(), ((fitted - y) * x).mean()])

    start, low, high = np.array([np.log(y.mean()), 1.0]), np.array([-np.inf, TINY]), np.full(2, np.inf)
    best = settle(loss, descend(loss, [start], low, high), low, high)
    level, slope = np.round(best, FITTED_DIGITS).tolist()
    return Calibration(round(level + (1 - slope) * float(np.log(unit)), FITTED_DIGITS), slope)
