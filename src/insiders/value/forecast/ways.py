"""Ways to continue a series of months: logarithms of rates, oldest first, to logarithms of the months ahead."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Way = Callable[[Array, int], Array]

RECENT = 3  # months that a mean looks back: what `the last quarter` is
SMOOTHING = 0.5  # weight of the newest month; fixed, since a year of months cannot estimate it
ARIMA_MONTHS = 6  # fewer leave an autoregression no degree of freedom
PERSISTENCES = np.arange(-999, 1000) / 1000  # of a month's deviation in the next; far finer than months can tell
DECIMALS = 9  # of a deviance: what differs less is the same fit
FLAT = 1e-9  # a series whose logarithms span less does not move: there is nothing to estimate
YEAR = 12
SEASON_MONTHS = 2 * YEAR  # a season seen once cannot be told from a trend or from chance


def last_month(logs: Array, ahead: int) -> Array:
    """As much as in the last full month: the naive forecast."""
    return np.repeat(logs[-1], ahead)


def same_month(logs: Array, ahead: int) -> Array:
    """As much as a year earlier: the seasonal naive forecast. Needs a year of months."""
    return np.resize(logs[-YEAR:], ahead)


def recent(logs: Array, ahead: int) -> Array:
    """As much as in the mean of the last three full months."""
    return np.repeat(np.log(np.exp(logs[-RECENT:]).mean()), ahead)


def smoothed(logs: Array, ahead: int) -> Array:
    """Simple exponential smoothing, ETS(A,N,N) of the logarithms, from the first month on."""
    level = logs[0]
    for each in logs[1:]:
        level += SMOOTHING * (each - level)
    return np.repeat(level, ahead)


def autoregression(logs: Array, ahead: int) -> Array:
    """ARIMA(1,0,0) with a mean, by exact maximum likelihood (Hamilton 1994, 5.2); the smoothed level of a short series.

    The persistence is the best of PERSISTENCES, for each of which mean and variance have closed forms. An optimiser
    would end elsewhere on another processor, or in another unit of money.
    """
    if len(logs) < ARIMA_MONTHS or np.ptp(logs) < FLAT:
        return smoothed(logs, ahead)
    precision = 1 - PERSISTENCES**2  # of the first month, in that of a step
    steps = logs[1:] - PERSISTENCES[:, None] * logs[:-1]
    weight = precision + (len(logs) - 1) * (1 - PERSISTENCES) ** 2
    means = (precision * logs[0] + (1 - PERSISTENCES) * steps.sum(axis=1)) / weight
    shocks = steps - ((1 - PERSISTENCES) * means)[:, None]
    squares = precision * (logs[0] - means) ** 2 + (shocks**2).sum(axis=1)
    deviance = len(logs) * np.log(squares) - np.log(precision)
    best = np.argmin(np.round(deviance, DECIMALS))
    return np.asarray(means[best] + PERSISTENCES[best] ** np.arange(1, ahead + 1) * (logs[-1] - means[best]))


TOP_DOWN: dict[str, Way] = {"last_month": last_month, "recent": recent, "smoothing": smoothed, "arima": autoregression}
NAIVE: dict[str, Way] = {"last_month": last_month, "same_month": same_month, "recent": recent}  # to be compared with


def season(shop: Array, ahead: int) -> tuple[Array, Array]:
    """Each month's deviation (log) from its year, known months and months ahead; 0 where no two years are known.

    Measured on the whole shop, where chance is smallest, as the mean over complete years counted back from the end, and
    shrunk to 0 as if one more year had shown none.
    """
    years = len(shop) // YEAR
    if len(shop) < SEASON_MONTHS or (shop <= 0).any():
        return np.zeros(len(shop)), np.zeros(ahead)
    logs = np.log(shop[-years * YEAR :]).reshape(years, YEAR)
    index = (logs - logs.mean(axis=1, keepdims=True)).mean(axis=0) * years / (years + 1)
    months = np.arange(-len(shop), ahead)
    told = index[months % YEAR]
    return told[: len(shop)], told[len(shop) :]
