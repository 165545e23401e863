"""How sure a comparison is, in one of three words: the one place where the interval decides which."""

from statistics import NormalDist
from typing import Literal

from insiders.units import COVERAGE, NORMAL_QUANTILE, round_off

# How much narrower an interval of COVERAGE is than one of CONFIDENCE, with a normal error.
NARROWER = float(round_off(NormalDist().inv_cdf((1 + COVERAGE) / 2) / NORMAL_QUANTILE, digits=3))

Certainty = Literal["certain", "likely", "unsure"]


def certainty(ratio: float, low: float, high: float) -> Certainty:
    """Whether a ratio differs from 1: `certain` by its 95 % interval (`low`, `high`), `likely` by that of 80 %."""
    if low > 1 or high < 1:
        return "certain"
    inner_low, inner_high = (ratio + NARROWER * (end - ratio) for end in (low, high))
    return "likely" if inner_low > 1 or inner_high < 1 else "unsure"
