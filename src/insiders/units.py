"""Units and conventions that every part of the project shares: each stands here once."""

import math
from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

NO_CLUSTER = -1  # label of a customer whom the clusterer puts into no cluster

PRODUCT_SEPARATOR = "\n"  # between the codes of a customer's products; one inside a code counts as a space

MONTH_DAYS = 30  # of a rate "per month"; calendar months are called so where they are meant
YEAR_DAYS = 365

COVERAGE = 0.80  # of every interval of expected revenue: so many of the outcomes are to lie in it
LEVELS = ((1 - COVERAGE) / 2, COVERAGE, (1 + COVERAGE) / 2)  # of the ends of an interval: both, or from 0 to the second
CONFIDENCE = 0.95  # of every interval of a measured difference
NORMAL_QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)  # standard errors on each side of such an interval

# Adding, multiplying, dividing and square roots give the same bits on every processor. Logarithms, powers, matrix
# products and optimisers do not: they agree to 15 digits, and to about 11 after a fit. So what comes out of them is
# rounded before it is compared, sorted or written, far enough from the noise that it all but never decides a digit.
FIGURE_DIGITS = 8  # significant digits kept of a measured figure
FITTED_DIGITS = 6  # ... and of a fitted parameter or a prediction
LARGEST_POWER = 300
POWERS_OF_TEN = np.array([float(f"1e{power}") for power in range(-LARGEST_POWER, LARGEST_POWER + 1)])


def list_size(share: float, customers: int) -> int:
    """How many a list of a share of the customers names: at least one, however few they are."""
    return max(1, round(share * customers))


def evenly_spaced(rows: int, most: int) -> NDArray[np.intp]:
    """Places of at most so many rows, from the first to the last: a part of them that is the same at every run."""
    return np.unique(np.linspace(0, rows - 1, min(most, rows)).round().astype(np.intp))


def gap_counts(days: ArrayLike, gap_mean_days: ArrayLike) -> NDArray[np.float64]:
    """How many gaps between order days lie from the first of them to the last; 0 where there is none, so no mean."""
    mean = np.asarray(gap_mean_days, dtype=np.float64)
    return np.nan_to_num(np.round(np.asarray(days, dtype=np.float64) / np.where(mean > 0, mean, np.nan)))


def signed_log(values: ArrayLike, unit: ArrayLike = 1.0) -> NDArray[np.float64]:
    """sign(x) log(1 + |x| / unit): a logarithm for amounts that may be zero or negative; `unit` is a typical size."""
    amounts = np.asarray(values, dtype=np.float64)
    return np.asarray(np.sign(amounts) * np.log1p(np.abs(amounts) / unit))


def round_off(values: ArrayLike, digits: int = FIGURE_DIGITS) -> NDArray[np.float64]:
    """Round to significant digits, by operations that are exact everywhere; zero is never -0.0."""
    exact = np.asarray(values, dtype=np.float64)
    place = np.searchsorted(POWERS_OF_TEN, np.abs(exact), side="right") - 1 - LARGEST_POWER
    decimals = np.clip(digits - 1 - place, -LARGEST_POWER, LARGEST_POWER)
    up, down = (POWERS_OF_TEN[np.maximum(each, 0) + LARGEST_POWER] for each in (decimals, -decimals))
    return np.asarray(np.rint(exact * up / down) * down / up + 0.0)


def round_each(figures: Mapping[str, float], digits: int = FIGURE_DIGITS) -> dict[str, float]:
    """`round_off` for figures by name."""
    return dict(zip(figures, round_off(list(figures.values()), digits).tolist(), strict=True))


def without_nan(measures: Mapping[str, float]) -> dict[str, float | None]:
    """The same with None for what is no number: JSON knows no NaN."""
    return {name: None if math.isnan(value) else value for name, value in measures.items()}
