"""The money of an action: what it costs, the uplift at which it breaks even, what it brings if an uplift is assumed."""

from math import fsum
from typing import NamedTuple

import numpy as np
import pandas as pd

# What `effect` tells.
FIGURES = (
    *("expected_orders", "expected_revenue", "expected_low", "expected_high", "cost", "break_even_uplift"),
    *("uplift_low", "uplift_high", "added_low", "added_high", "profit_low", "profit_high", "verdict"),
)


class Cost(NamedTuple):
    """What an action costs, in the shop's currency; each part may be 0."""

    per_customer: float  # once for everybody in the audience, whether they buy or not
    per_order: float  # for each order, those included that would have come anyway
    share_of_revenue: float  # of all that the audience buys, that included which it would have bought anyway


class Uplift(NamedTuple):
    """How much more the audience may buy because of the action, as a share of what it is expected to buy; assumed."""

    low: float
    high: float


class Outlook(NamedTuple):
    """What an audience is expected to bring without the action."""

    customers: int
    orders: float
    revenue: float
    low: float  # ends of the interval of the revenue, by the customers' own chance
    high: float


def outlook(expected: pd.DataFrame) -> Outlook:
    """Sum the customers (schemas.EXPECTATIONS) as independent ones.

    Each one's deviation is the wider side of their own interval, and deviations add up by their squares. What would
    move all of them at once, as a season, is in none of them.
    """
    orders, revenue = fsum(expected["expected_orders"]), fsum(expected["expected_revenue"])
    up = expected["expected_high"] - expected["expected_revenue"]
    down = expected["expected_revenue"] - expected["expected_low"]
    width = float(np.sqrt(fsum(np.maximum(up, down) ** 2)))
    return Outlook(len(expected), orders, revenue, max(revenue - width, 0.0), revenue + width)


def cost(terms: Cost, seen: Outlook, uplift: float = 0.0) -> float:
    """What the action costs where the audience orders and buys more by the uplift."""
    variable = terms.per_order * seen.orders + terms.share_of_revenue * seen.revenue
    return terms.per_customer * seen.customers + variable * (1 + uplift)


def profit(terms: Cost, seen: Outlook, margin_share: float, uplift: float) -> float:
    """Margin of what is bought in addition, less what the action costs."""
    return margin_share * seen.revenue * uplift - cost(terms, seen, uplift)


def break_even(terms: Cost, seen: Outlook, margin_share: float) -> float | None:
    """The uplift at which the profit is 0; null where no uplift reaches it: each further order costs all it brings."""
    earned = profit(terms, seen, margin_share, 1.0) - profit(terms, seen, margin_share, 0.0)  # the profit is a line
    return cost(terms, seen) / earned if earned > 0 else None


def effect(terms: Cost, seen: Outlook, margin_share: float, assumed: Uplift) -> dict[str, float | str | None]:
    """The figures of one action; `verdict` says whether it pays within the assumed uplift: yes, depends, no.

    The ends of revenue and profit combine both: the least and the most that the assumed uplift gives at either end of
    what the audience is expected to bring. Orders go with the revenue.
    """
    ends = [_scaled(seen, revenue) for revenue in (seen.low, seen.high)]
    profits = [profit(terms, end, margin_share, uplift) for end in ends for uplift in assumed]
    needed = break_even(terms, seen, margin_share)
    return {
        "expected_orders": seen.orders,
        "expected_revenue": seen.revenue,
        "expected_low": seen.low,
        "expected_high": seen.high,
        "cost": cost(terms, seen),
        "break_even_uplift": needed,
        "uplift_low": assumed.low,
        "uplift_high": assumed.high,
        "added_low": assumed.low * seen.low,
        "added_high": assumed.high * seen.high,
        "profit_low": min(profits),
        "profit_high": max(profits),
        "verdict": "no" if needed is None or needed > assumed.high else "yes" if needed <= assumed.low else "depends",
    }


def _scaled(seen: Outlook, revenue: float) -> Outlook:
    return seen._replace(revenue=revenue, orders=seen.orders * revenue / seen.revenue if seen.revenue else seen.orders)
