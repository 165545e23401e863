"""The money of an action: what it costs, the uplift at which it breaks even, what an assumed uplift would bring."""

from math import fsum
from typing import Literal, NamedTuple, TypedDict

import numpy as np
import pandas as pd


class Cost(NamedTuple):
    """What an action costs, in the shop's currency; each part may be 0."""

    per_customer: float  # once for everybody in the audience, whether they buy or not
    per_order: float  # for each order, also for those that would have come anyway
    share_of_revenue: float  # of all that the audience buys, also of what it would have bought anyway


class Uplift(NamedTuple):
    """How much more the audience is assumed to buy because of the action, as a share of what it is expected to buy."""

    low: float
    high: float


class Outlook(NamedTuple):
    """What an audience is expected to bring without the action."""

    customers: int
    orders: float
    revenue: float
    low: float  # ends of the interval of the revenue, from the customers' own intervals
    high: float

    @classmethod
    def of(cls, expected: pd.DataFrame) -> "Outlook":
        """Sum the customers (schemas.EXPECTATIONS) as independent ones.

        Each one's deviation is the wider side of their own interval, and the squares of deviations add up. What moves
        all customers at once, as a season does, is in none of them.
        """
        orders, revenue = fsum(expected["expected_orders"]), fsum(expected["expected_revenue"])
        up = expected["expected_high"] - expected["expected_revenue"]
        down = expected["expected_revenue"] - expected["expected_low"]
        width = float(np.sqrt(fsum(np.maximum(up, down) ** 2)))
        return cls(len(expected), orders, revenue, max(revenue - width, 0.0), revenue + width)

    def scaled(self, revenue: float) -> "Outlook":
        """The same customers with another revenue; their orders go with it."""
        orders = self.orders * revenue / self.revenue if self.revenue else self.orders
        return self._replace(revenue=revenue, orders=orders)


class EffectNumbers(TypedDict):
    """What an audience is expected to bring, and what the action costs, adds and earns; null without an action.

    `verdict` says whether the action pays within the assumed uplift.
    """

    expected_orders: float | None
    expected_revenue: float | None
    expected_low: float | None
    expected_high: float | None
    cost: float | None
    break_even_uplift: float | None  # also null where no uplift pays
    uplift_low: float | None
    uplift_high: float | None
    added_low: float | None
    added_high: float | None
    profit_low: float | None
    profit_high: float | None
    verdict: Literal["yes", "depends", "no"] | None


NO_EFFECT: EffectNumbers = {
    "expected_orders": None,
    "expected_revenue": None,
    "expected_low": None,
    "expected_high": None,
    "cost": None,
    "break_even_uplift": None,
    "uplift_low": None,
    "uplift_high": None,
    "added_low": None,
    "added_high": None,
    "profit_low": None,
    "profit_high": None,
    "verdict": None,
}


def cost(terms: Cost, outlook: Outlook, uplift: float = 0.0) -> float:
    """What the action costs where orders and revenue rise by the uplift."""
    variable = terms.per_order * outlook.orders + terms.share_of_revenue * outlook.revenue
    return terms.per_customer * outlook.customers + variable * (1 + uplift)


def profit(terms: Cost, outlook: Outlook, margin_share: float, uplift: float) -> float:
    """Margin of the additional revenue, less what the action costs."""
    return margin_share * outlook.revenue * uplift - cost(terms, outlook, uplift)


def break_even(terms: Cost, outlook: Outlook, margin_share: float) -> float | None:
    """The uplift at which the profit is 0; None where further orders cost all that they bring."""
    # The profit is linear in the uplift.
    slope = profit(terms, outlook, margin_share, 1.0) - profit(terms, outlook, margin_share, 0.0)
    return cost(terms, outlook) / slope if slope > 0 else None


def effect(terms: Cost, outlook: Outlook, margin_share: float, assumed: Uplift) -> EffectNumbers:
    """The figures of one action.

    The ends of `added` and `profit` are the least and the most over the assumed uplift and the interval of the expected
    revenue.
    """
    ends = [outlook.scaled(revenue) for revenue in (outlook.low, outlook.high)]
    profits = [profit(terms, end, margin_share, uplift) for end in ends for uplift in assumed]
    needed = break_even(terms, outlook, margin_share)
    return {
        "expected_orders": outlook.orders,
        "expected_revenue": outlook.revenue,
        "expected_low": outlook.low,
        "expected_high": outlook.high,
        "cost": cost(terms, outlook),
        "break_even_uplift": needed,
        "uplift_low": assumed.low,
        "uplift_high": assumed.high,
        "added_low": assumed.low * outlook.low,
        "added_high": assumed.high * outlook.high,
        "profit_low": min(profits),
        "profit_high": max(profits),
        "verdict": "no" if needed is None or needed > assumed.high else "yes" if needed <= assumed.low else "depends",
    }
