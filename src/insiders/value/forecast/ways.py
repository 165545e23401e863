"""Ways to continue a series of months: logarithms of rates, oldest first, to logarithms of the months ahead.

No way of OWN asks an optimiser, which would end elsewhere on another processor or in another unit of money. Prophet
does; its package is an extra.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.errors import InputError

Array = NDArray[np.float64]
Way = Callable[[Array, int], Array]

RECENT = 3  # months that a mean looks back: what `the last quarter` is
SMOOTHING = 0.5  # weight of the newest month; fixed, since a year of months cannot estimate it
ARIMA_MONTHS = 6  # fewer leave an autoregression no degree of freedom
ARMA_MONTHS = 9  # ... and one with a moving average, which has a parameter more
PERSISTENCES = np.arange(-999, 1000)[:, None] / 1000  # of a month's deviation in the next; finer than months can tell
COARSE = np.arange(-19, 20) / 20  # of both parameters, where there are two
PROPHET_DECIMALS = 4  # of its logarithms: what its optimiser is sure of
DECIMALS = 9  # of a deviance: what differs less is the same fit
FLAT = 1e-9  # a series whose logarithms span less does not move: there is nothing to estimate


def recent(logs: Array, ahead: int) -> Array:
    """As much as in the mean of the last three full months: the naive forecast."""
    return np.repeat(np.log(np.exp(logs[-RECENT:]).mean()), ahead)


def smoothed(logs: Array, ahead: int) -> Array:
    """Simple exponential smoothing, ETS(A,N,N) of the logarithms, from the first month on."""
    level = logs[0]
    for each in logs[1:]:
        level += SMOOTHING * (each - level)
    return np.repeat(level, ahead)


def autoregression(logs: Array, ahead: int) -> Array:
    """ARIMA(1,0,0) with a mean; the smoothed level of a series that is too short for one."""
    if len(logs) < ARIMA_MONTHS or np.ptp(logs) < FLAT:
        return smoothed(logs, ahead)
    return _most_likely(logs, PERSISTENCES, np.zeros(1), ahead)


def moving_autoregression(logs: Array, ahead: int) -> Array:
    """ARMA(1,1), which is ARIMA(1,0,1), with a mean; an autoregression of a series that is too short for one."""
    if len(logs) < ARMA_MONTHS or np.ptp(logs) < FLAT:
        return autoregression(logs, ahead)
    return _most_likely(logs, COARSE[:, None], COARSE, ahead)


class _Filter(NamedTuple):
    """One-step errors of a series for every pair of parameters, their variances, and the first month ahead."""

    errors: list[Array]
    variances: list[Array]
    coming: Array


def _filtered(series: Array, persistence: Array, shock: Array) -> _Filter:
    """Innovations of an ARMA(1,1) without a mean whose shocks have variance 1 (Brockwell and Davis 1991, 5.3)."""
    coming = np.zeros(np.broadcast_shapes(persistence.shape, shock.shape))
    variance = coming + (1 + 2 * persistence * shock + shock**2) / (1 - persistence**2)
    errors, variances = [], []
    for each in series:
        errors.append(each - coming)
        variances.append(variance)
        coming = persistence * each + shock / variance * errors[-1]
        variance = 1 + shock**2 - shock**2 / variance
    return _Filter(errors, variances, coming)


def _most_likely(logs: Array, persistence: Array, shock: Array, ahead: int) -> Array:
    """Continue by the parameters of a grid with the highest exact likelihood; mean and variance have closed forms."""
    own, ones = (_filtered(each, persistence, shock) for each in (logs, np.ones(len(logs))))
    variances = np.array(own.variances)
    errors, of_mean = np.array(own.errors), np.array(ones.errors)
    mean = (errors * of_mean / variances).sum(axis=0) / (of_mean**2 / variances).sum(axis=0)
    squares = ((errors - mean * of_mean) ** 2 / variances).sum(axis=0)
    deviance = len(logs) * np.log(squares) + np.log(variances).sum(axis=0)
    best = np.unravel_index(np.argmin(np.round(deviance, DECIMALS)), deviance.shape)
    deviation = (own.coming - mean * ones.coming)[best]
    return np.asarray(mean[best] + persistence[best[0], 0] ** np.arange(ahead) * deviation)


def prophet(logs: Array, ahead: int) -> Array:
    """Prophet's trend (Taylor and Letham 2018) without a season of its own, which the shop's has taken out before.

    Raises InputError where its package is not installed.
    """
    months = pd.date_range("2000-01-01", periods=len(logs) + ahead, freq="MS")  # any: only their distances count
    if len(logs) < ARIMA_MONTHS or np.ptp(logs) < FLAT:
        return smoothed(logs, ahead)
    with _quiet_prophet() as package:
        model = package.Prophet(
            yearly_seasonality=False, weekly_seasonality=False, daily_seasonality=False, uncertainty_samples=0
        )
        model.fit(pd.DataFrame({"ds": months[: len(logs)], "y": logs}), seed=0)
        trend = model.predict(pd.DataFrame({"ds": months[len(logs) :]}))["trend"]
    return np.round(trend.to_numpy(dtype=float), PROPHET_DECIMALS)


@contextmanager
def _quiet_prophet() -> Iterator[ModuleType]:
    """Prophet's package; what it logs of each fit, and what pandas warns it of, tells nobody anything here."""
    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import prophet
        except ImportError as error:
            raise InputError(
                "forecast.ways names prophet, whose package is not installed: run `make prophet`, or leave it out"
            ) from error
        yield prophet


TOP_DOWN: dict[str, Way] = {
    "recent": recent,
    "smoothing": smoothed,
    "arima": autoregression,
    "arma": moving_autoregression,
    "prophet": prophet,
}
OWN = ("recent", "smoothing", "arima", "arma")  # those that need no further package
NAIVE = "recent"  # the way that every other one is compared with
