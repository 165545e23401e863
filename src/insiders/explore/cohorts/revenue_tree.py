"""Why the revenue of two periods differs: customers x orders per customer x value per order."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from math import factorial, prod, sqrt
from typing import TypedDict

from insiders.explore.cohorts.history import Periods
from insiders.units import CONFIDENCE, NORMAL_QUANTILE

FACTORS = ("customers", "orders_per_customer", "value_per_order")  # their product is the net revenue
Levels = Mapping[str, int | float | Decimal]  # the row of sums.levels

PeriodNumbers = TypedDict(
    "PeriodNumbers",
    {
        "from": str,  # first day
        "to": str,  # last day
        "net_revenue": float,
        "orders": int,
        "customers": int,
        "orders_per_customer": float | None,
        "value_per_order": float | None,
    },
)


class Part(TypedDict):
    """How much of the change is due to a factor, in the shop's currency."""

    factor: str
    amount: float


class RevenueTree(TypedDict):
    """Two periods, the change of their net revenue with its interval, and the parts that add up to it."""

    earlier: PeriodNumbers
    later: PeriodNumbers
    is_year_apart: bool
    change: float
    confidence: float
    change_error: float
    change_low: float
    change_high: float
    parts: list[Part]


def revenue_tree(levels: Levels | None, periods: Periods | None) -> RevenueTree | None:
    """Split the change of the net revenue into the Shapley values of its factors; None where a period has no order.

    The interval of the change treats customers as independent. A season or a price that moves all of them is in the
    change and not in the interval.
    """
    if levels is None or periods is None:
        return None
    earlier, later = _period(levels, "earlier", periods.earlier), _period(levels, "later", periods.later)
    if not earlier["customers"] or not later["customers"]:
        return None
    change, error = later["net_revenue"] - earlier["net_revenue"], sqrt(float(levels["squared_changes"]))
    amounts = shapley_values(_factors(earlier), _factors(later))
    return {
        "earlier": earlier,
        "later": later,
        "is_year_apart": periods.is_year_apart,
        "change": change,
        "confidence": CONFIDENCE,
        "change_error": error,
        "change_low": change - NORMAL_QUANTILE * error,
        "change_high": change + NORMAL_QUANTILE * error,
        "parts": [{"factor": name, "amount": amount} for name, amount in zip(FACTORS, amounts, strict=True)],
    }


def _period(levels: Levels, name: str, span: tuple[date, date]) -> PeriodNumbers:
    customers, orders = int(levels[f"{name}_customers"]), int(levels[f"{name}_orders"])
    revenue = float(levels[f"{name}_revenue"])
    return {
        "from": span[0].isoformat(),
        "to": (span[1] - timedelta(days=1)).isoformat(),
        "net_revenue": revenue,
        "orders": orders,
        "customers": customers,
        "orders_per_customer": orders / customers if customers else None,
        "value_per_order": revenue / orders if orders else None,
    }


def _factors(period: PeriodNumbers) -> list[float]:
    return [period["customers"], period["orders_per_customer"] or 0.0, period["value_per_order"] or 0.0]


def shapley_values(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """How much of the change of a product is due to each of its factors (Shapley 1953); the values add up to it.

    A factor's value is its effect, averaged over all orders in which the factors could change one after the other.
    """
    places = range(len(before))

    def product(changed: set[int]) -> float:
        return prod(after[place] if place in changed else before[place] for place in places)

    def value(own: int) -> float:
        others = [place for place in places if place != own]
        return sum(
            factorial(size)
            * factorial(len(others) - size)
            / factorial(len(before))
            * sum(product({*chosen, own}) - product({*chosen}) for chosen in combinations(others, size))
            for size in range(len(before))
        )

    return [value(own) for own in places]
