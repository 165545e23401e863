"""The lifetime value model: fitted to customers as of one date, calibrated on earlier dates."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from cachetools import LRUCache, cached
from scipy import special

from insiders.units import FITTED_DIGITS, LEVELS, YEAR_DAYS, gap_counts, round_off
from insiders.value.lifetime.calibration import Calibration, fit_line
from insiders.value.lifetime.likelihood import ProcessFit
from insiders.value.lifetime.processes import PROCESSES, TINY, Array, Histories
from insiders.value.lifetime.spend import Spend, fit_net_spend

DROPOUT_EVIDENCE = 5.99  # twice the gain in log-likelihood: chi-square, 2 parameters more, 95 %
# Columns of a table of customers that a lifetime value is made from.
HISTORY = ("recency_days", "tenure_days", "gap_mean_days", "net_revenue")
PAST = ("as_of", *HISTORY, "next_revenue")  # columns of earlier customers that a calibration looks at
KEPT = 64  # fitted models, by what they were fitted to: a stage asks for the same ones again and again
HIGHEST = 0.999  # level of a quantile: above it there is only the model's own tail, which has no end
MIDPOINTS = (np.arange(20) + 0.5) / 20


@dataclass(frozen=True)
class ValueModel:
    """Fitted parameters (times in days); `notes` say in sentences what the data cannot tell."""

    process: str
    parameters: dict[str, float]
    log_likelihoods: dict[str, float]
    dropout_identified: bool
    spend: Spend
    calibration: Calibration
    as_of: pd.Timestamp
    notes: tuple[str, ...]


class Distribution(NamedTuple):
    """Each customer's future: revenue is 0 with probability `zero`, else `scale` x a beta prime (`shape`, `tail`)."""

    active: Array  # probability of still being a customer
    orders: Array  # expected
    order_value: Array  # expected
    zero: Array
    shape: Array
    tail: Array
    scale: Array

    @property
    def revenue(self) -> Array:
        """Expected, not calibrated."""
        return self.orders * self.order_value

    def quantile(self, level: float) -> Array:
        """The revenue below which this share of the outcomes lies; of a share above HIGHEST, of HIGHEST."""
        within = np.maximum(min(level, HIGHEST) - self.zero, 0) / (1 - self.zero)
        share = special.betaincinv(self.shape, self.tail, within)
        return self.scale * share / (1 - share)

    def level(self, revenue: Array) -> Array:
        """Inverse of `quantile`: the probability of no more than this revenue (of each customer, at least 0)."""
        return self.zero + (1 - self.zero) * special.betainc(self.shape, self.tail, revenue / (revenue + self.scale))


def fit(customers: pd.DataFrame) -> ValueModel:
    """Fit to customers as of one date (schemas.CUSTOMERS); dropout is kept only where the likelihood asks for it.

    Raises InputError where no customer brought anything.
    """
    known = customers[list(HISTORY)].to_numpy(dtype=float, na_value=np.nan)
    return replace(_fitted(known), as_of=customers["as_of"].max())


@cached(LRUCache(KEPT), key=joblib.hash)
def _fitted(known: Array) -> ValueModel:
    """The model of customers with this HISTORY, whatever the day."""
    customers = pd.DataFrame(known, columns=list(HISTORY))
    h = histories(customers)
    spend = fit_net_spend(customers, h.repeats + 1)
    rows, count = np.unique(np.stack(h, axis=1), axis=0, return_counts=True)
    fits = {name: ProcessFit(each, Histories(*rows.T), count.astype(float)) for name, each in PROCESSES.items()}
    likelihoods = {name: each.log_likelihood(each.near) for name, each in fits.items()}
    best = max(likelihoods, key=lambda name: likelihoods[name])
    gain = 2 * (likelihoods[best] - likelihoods["nbd"])
    process = best if gain > DROPOUT_EVIDENCE else "nbd"
    return ValueModel(
        process=process,
        parameters=fits[process].parameters(fits[process].maximum()),
        log_likelihoods=likelihoods,
        dropout_identified=process != "nbd",
        spend=spend,
        calibration=Calibration(),
        as_of=pd.NaT,
        notes=(_dropout_note(process, gain), "No past window has tested the interval: it is the model's own."),
    )


def predict(model: ValueModel, customers: pd.DataFrame, horizon_days: float) -> pd.DataFrame:
    """One row per customer, in their order: what the `horizon_days` after the customers' as_of are expected to bring.

    expected_orders counts days with an order; expected_revenue is their product with expected_order_value, calibrated.
    80 % of the outcomes lie from expected_low to expected_high, which also hold the expected revenue. Net revenue
    below 0 is taken as 0: refunds of the past forecast no refunds.
    """
    future, line = _distribution(model, customers, horizon_days), model.calibration
    expected = line.on_line(future.revenue)
    low, high = _interval(future, line.levels)
    factor = expected / np.maximum(future.revenue, TINY)
    ends = {
        "expected_low": np.minimum(low * factor / line.season, expected),
        "expected_high": np.maximum(high * factor * line.season, expected),
    }
    figures = _rounded(_means(future, line)) | _rounded(ends)
    return pd.DataFrame({"customer_id": customers["customer_id"].to_numpy(), **figures})


def expect(model: ValueModel, customers: pd.DataFrame, horizon_days: float) -> dict[str, Array]:
    """What `predict` gives, but for the interval, which costs fifteen times as much as all else."""
    return _rounded(_means(_distribution(model, customers, horizon_days), model.calibration))


def expected_revenue(model: ValueModel, customers: pd.DataFrame, horizon_days: float) -> Array:
    """That of `predict` alone, from HISTORY alone."""
    revenue = _distribution(model, customers, horizon_days).revenue
    return round_off(model.calibration.on_line(revenue), FITTED_DIGITS)


def calibrate(model: ValueModel, history: pd.DataFrame, horizon_days: int, unseen_season: float) -> ValueModel:
    """Correct level, slope and width by what came after earlier dates (schemas.SNAPSHOTS).

    A window counts if it had ended by the model's as_of and the history before it is as long as the horizon; each is
    predicted by a model fitted at its own start. Where they cover less than a year, both ends of an interval are moved
    out by the factor `unseen_season`.
    """
    past = _windows(model, history, horizon_days)
    if past.empty or past["next_revenue"].sum() <= 0:
        return model
    each = [_distribution(fit(window), window, horizon_days) for _, window in past.groupby("as_of")]
    future = Distribution(*(np.concatenate(parts) for parts in zip(*each, strict=True)))
    actual = past["next_revenue"].to_numpy(dtype=float)
    line = fit_line(future.revenue, actual)
    days = (past["as_of"].max() - past["as_of"].min()).days + horizon_days
    calibration = replace(
        line,
        levels=_levels(future, line, actual),
        season=unseen_season if days < YEAR_DAYS else 1.0,
        windows=len(each),
    )
    return replace(model, calibration=calibration, notes=(model.notes[0], calibration.note()))


def histories(customers: pd.DataFrame) -> Histories:
    """Repeat order days follow from the mean gap between two of them."""
    tenure = customers["tenure_days"].to_numpy(dtype=float)
    last = tenure - customers["recency_days"].to_numpy(dtype=float)
    gap = customers["gap_mean_days"].to_numpy(dtype=float, na_value=np.nan)
    return Histories(gap_counts(last, gap), last, tenure)


def _windows(model: ValueModel, history: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """Rows of the windows that count, earliest first."""
    has_ended = history["as_of"] + pd.Timedelta(days=horizon_days) <= model.as_of
    is_long = history.groupby("as_of")["tenure_days"].transform("max") >= horizon_days
    return history[has_ended & is_long & history["next_revenue"].notna()].sort_values("as_of", kind="stable")


def _levels(future: Distribution, line: Calibration, actual: Array) -> tuple[float, ...]:
    """The levels of the distributions below which LEVELS of the outcomes lay."""
    uncalibrated = np.maximum(actual, 0) * future.revenue / line.on_line(future.revenue)
    upper = future.level(uncalibrated)
    lower = np.where(actual > 0, upper, 0.0)[:, None]  # an outcome of 0 stands for every level that means 0
    levels = np.quantile(lower + (upper[:, None] - lower) * MIDPOINTS, LEVELS)
    return tuple(np.round(levels, FITTED_DIGITS).tolist())


def _dropout_note(process: str, gain: float) -> str:
    evidence = f"twice the log-likelihood gained is {gain:.1f}, {DROPOUT_EVIDENCE} are needed"
    if process == "nbd":
        return f"Whether customers leave cannot be told from this history ({evidence}): all are taken as active."
    return f"Customers leave, as {process} describes it ({evidence})."


def _distribution(model: ValueModel, customers: pd.DataFrame, horizon_days: float) -> Distribution:
    """Orders are negative binomial if active; their sum, if there are any, is taken as a gamma of equal two moments."""
    process, parameters, spend = PROCESSES[model.process], np.array(list(model.parameters.values())), model.spend
    h = histories(customers)
    terms = process.terms(parameters, h)
    active = np.maximum(np.exp(terms.active - np.logaddexp(terms.active, terms.gone)), TINY)
    mean, size = process.orders_if_active(parameters, h, horizon_days), parameters[0] + h.repeats
    some = active * -np.expm1(-size * np.log1p(mean / size))
    count = active * mean / some
    variance = active * (mean + mean**2 * (1 + 1 / size)) / some - count**2
    inflation = 1 + spend.p * np.maximum(variance, 0) / count
    tail = spend.p * (h.repeats + 1) + spend.q
    rate = spend.v + np.maximum(customers["net_revenue"].to_numpy(dtype=float), 0)
    value = spend.p * rate / (tail - 1)
    return Distribution(active, active * mean, value, 1 - some, spend.p * count / inflation, tail, inflation * rate)


def _means(future: Distribution, line: Calibration) -> dict[str, Array]:
    return {
        "expected_orders": future.orders,
        "probability_active": future.active,
        "probability_order": 1 - future.zero,
        "expected_order_value": future.order_value,
        "expected_revenue": line.on_line(future.revenue),
    }


def _rounded(figures: dict[str, Array]) -> dict[str, Array]:
    return {name: round_off(each, FITTED_DIGITS) for name, each in figures.items()}


def _interval(future: Distribution, levels: tuple[float, ...]) -> tuple[Array, Array]:
    """As much is left out on both sides, or all of it above where the lower end is 0 anyway."""
    low, upper, high = (future.quantile(level) for level in levels)
    return low, np.where(low > 0, high, upper)
