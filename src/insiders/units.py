"""Units and conventions that every part of the project shares: each stands here once."""

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

NO_CLUSTER = -1  # label of a customer whom the clusterer puts into no cluster

PRODUCT_SEPARATOR = "\n"  # between the codes of a customer's products; one inside a code counts as a space

MONTH_DAYS = 30  # of a rate "per month"; calendar months are called so where they are meant
YEAR_DAYS = 365

COVERAGE = 0.80  # of every interval of expected revenue: so many of the outcomes are to lie in it
CONFIDENCE = 0.95  # of every interval of a measured difference
NORMAL_QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)  # standard errors on each side of such an interval


def signed_log(values: ArrayLike, unit: ArrayLike = 1.0) -> NDArray[np.float64]:
    """sign(x) log(1 + |x| / unit): a logarithm for amounts that may be zero or negative; `unit` is a typical size."""
    amounts = np.asarray(values, dtype=np.float64)
    return np.asarray(np.sign(amounts) * np.log1p(np.abs(amounts) / unit))
