"""How sure a comparison is, in one of three words: the one place where the interval decides which."""

from typing import Literal

NARROWER = 0.654  # an interval of 80 %, beside one of 95 % with a normal error: 1.282 / 1.960

Certainty = Literal["certain", "likely", "unsure"]


def certainty(ratio: float, low: float, high: float) -> Certainty:
    """Whether a ratio differs from 1: `certain` by its 95 % interval (`low`, `high`), `likely` by that of 80 %."""
    if low > 1 or high < 1:
        return "certain"
    inner_low, inner_high = (ratio + NARROWER * (end - ratio) for end in (low, high))
    return "likely" if inner_low > 1 or inner_high < 1 else "unsure"
