"""Groups as forecast.groups makes them, out of the rates per day of one group of customers who never change."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from insiders.value import forecast
from insiders.value.forecast.groups import months_ahead

START = pd.Timestamp("2010-12-01")
RATE, PROMISED, CHANCE = 1000.0, 1000.0, 0.1


def series(known: int, growth: float = 0.0, noise: float = 0.0, seed: int = 1) -> np.ndarray:
    """Rates of so many months from the start on."""
    shocks = np.random.default_rng(seed).normal(0, noise, known) if noise else np.zeros(known)
    return RATE * (1 + growth) ** np.arange(known) * np.exp(shocks)


def month_starts(rates: np.ndarray) -> pd.DatetimeIndex:
    """Those at which at least one month is known; after the last month too."""
    return pd.date_range(START, periods=len(rates) + 1, freq="MS")[1:]


def group(rates: np.ndarray, as_of: pd.Timestamp, horizon_days: int = 90) -> forecast.Group:
    """`rates` hold all months until today: those after `as_of` are what came."""
    months = pd.date_range(START, periods=len(rates), freq="MS")
    known = months[months + pd.offsets.MonthBegin(1) <= as_of]
    ahead = months_ahead(as_of, horizon_days)
    coming = pd.Series(rates, index=months)[months >= as_of].reindex(ahead).to_numpy()
    return forecast.Group(
        as_of=as_of,
        members=10,
        months=known,
        rates=rates[: len(known)],
        shop=2 * rates[: len(known)],
        ahead=ahead,
        days=(ahead + pd.offsets.MonthBegin(1) - np.maximum(ahead, as_of)).days.to_numpy(dtype=float),
        actual=coming,
        bottom_up=np.full(len(ahead), PROMISED),
        chance=CHANCE,
        newcomers=0.2,
    )


def groups(rates: np.ndarray, dates: Iterable[pd.Timestamp] | None = None) -> list[forecast.Group]:
    return [group(rates, as_of) for as_of in (month_starts(rates) if dates is None else dates)]


def insiders(*expected: float) -> pd.DataFrame:
    """Rows of insiders.csv, each interval 30 % to either side."""
    amounts = pd.Series(expected, dtype=float)
    return pd.DataFrame({"expected_revenue": amounts, "expected_low": amounts * 0.7, "expected_high": amounts * 1.3})


def expectations(segments: Iterable[str]) -> pd.DataFrame:
    """Of one customer each: 100 in the horizon, 400 in a year."""
    told = insiders(*([100.0] * len(list(segments))))
    return told.assign(segment=list(segments), expected_revenue_year=400.0, probability_active=0.9)


def told(listed: pd.DataFrame, segments: Iterable[str], as_of: pd.Timestamp) -> dict:
    """What the report's stage puts together, of a year of noisy months."""
    rates = series(12, noise=0.2)
    found = groups(rates, [*month_starts(rates), as_of]) if len(listed) else []
    outlook = forecast.outlook(found, as_of, 90)
    return {**outlook, "lifetime_value": forecast.segments(expectations(list(segments)), outlook["level_error"])}
