"""Rules that a person can remember: conditions on a customer's figures, in ways of which one is enough.

A rule is monotone: its conditions ask for more of what is bought and for a shorter time since. So among two otherwise
equal customers, who spends more or bought more recently is never out while the other is in.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.units import MONTH_DAYS

# What a shop can look up without a model, and whether a condition asks for at least so much (else at most).
# The order decides between columns that separate equally well. An average per order is none of them: it falls when a
# small order is added.
AT_LEAST: Mapping[str, bool] = {
    "net_revenue": True,
    "net_revenue_180d": True,
    "net_revenue_90d": True,
    "order_count": True,
    "order_count_180d": True,
    "order_count_90d": True,
    "recency_days": False,
    "distinct_product_count": True,
    "net_revenue_per_month": True,
}
# Figures that no table holds: how SQL and Python make them from those that it holds. A month is also the shortest
# time that an average is taken over, as for orders_per_month.
MADE_OF = {
    "net_revenue_per_month": (
        f"net_revenue / greatest(tenure_days, {MONTH_DAYS}) * {MONTH_DAYS}",
        f'customer["net_revenue"] / max(customer["tenure_days"], {MONTH_DAYS}) * {MONTH_DAYS}',
    )
}
NEEDED = (*(column for column in AT_LEAST if column not in MADE_OF), "tenure_days")
# These change when a customer does nothing: without one of them a condition, once met, is met for ever.
EXPIRING = frozenset(
    {
        *("recency_days", "net_revenue_180d", "net_revenue_90d", "order_count_180d", "order_count_90d"),
        "net_revenue_per_month",
    }
)
WHOLE = frozenset({"order_count", "recency_days", "order_count_180d", "order_count_90d", "distinct_product_count"})
MANTISSAS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
COUNTED_TO = 20  # small whole numbers are memorable as they are
Flags = NDArray[np.bool_]


class Condition(NamedTuple):
    """A figure and the threshold on its good side: at least so much, of `recency_days` at most."""

    column: str
    threshold: float

    @property
    def at_least(self) -> bool:
        return AT_LEAST[self.column]

    def holds(self, customers: pd.DataFrame) -> Flags:
        """Boolean per customer."""
        values = customers[self.column].to_numpy(float)
        return values >= self.threshold if self.at_least else values <= self.threshold

    def room(self, customers: pd.DataFrame) -> NDArray[np.float64]:
        """How far inside each customer is, as a share of the threshold; negative: outside."""
        share = customers[self.column].to_numpy(float) / self.threshold - 1
        return share if self.at_least else -share

    def loosened(self, slack: float) -> "Condition":
        """The next memorable threshold that is looser by at least `slack` (0-1) of this one; a count stays at 1."""
        bound = self.threshold * (1 - slack if self.at_least else 1 + slack)
        numbers = memorable(bound / 10, bound * 10, self.column in WHOLE)
        looser = numbers[numbers <= bound + TOLERANCE] if self.at_least else numbers[numbers >= bound - TOLERANCE]
        if not len(looser):
            return self
        return self._replace(threshold=float(looser[-1] if self.at_least else looser[0]))


TOLERANCE = 1e-9
Way = tuple[Condition, ...]  # all of its conditions must hold
Rule = tuple[Way, ...]  # one of its ways is enough


def with_figures(customers: pd.DataFrame) -> pd.DataFrame:
    """Customers with every figure that a rule may look at; `customers` holds the NEEDED columns."""
    month = customers["net_revenue"] / customers["tenure_days"].clip(lower=MONTH_DAYS) * MONTH_DAYS
    return customers.assign(net_revenue_per_month=month)


def memorable(low: float, high: float, whole: bool) -> NDArray[np.float64]:
    """The numbers from `low` to `high` that people remember, ascending; `low` is above 0."""
    if high < low:
        return np.array([])
    powers = range(int(np.floor(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    numbers = np.array([round(mantissa * 10.0**power, 9) for power in powers for mantissa in MANTISSAS])
    if whole:
        numbers = np.unique([*range(1, COUNTED_TO), *numbers[numbers >= COUNTED_TO]])
    return numbers[(numbers >= low) & (numbers <= high)]


def meets(rule: Rule, customers: pd.DataFrame) -> Flags:
    """Boolean per customer: one of the rule's ways holds."""
    ways = [np.logical_and.reduce([each.holds(customers) for each in way]) for way in rule]
    return np.logical_or.reduce(ways) if ways else np.zeros(len(customers), bool)


def loosened(rule: Rule, slack: float) -> Rule:
    """The rule to stay by: every threshold looser by at least `slack` (0-1), so who may enter may also stay."""
    return tuple(tuple(condition.loosened(slack) for condition in way) for way in rule)


def margin(rule: Rule, customers: pd.DataFrame) -> NDArray[np.float64]:
    """Room of each customer in the condition that binds, of the way that suits them best; negative: outside."""
    return np.max([np.min([each.room(customers) for each in way], axis=0) for way in rule], axis=0)


def length(rule: Iterable[Sequence[Condition]]) -> int:
    return sum(map(len, rule))


def columns(rule: Rule) -> list[str]:
    """The figures that a rule looks at, each once, in the order in which they come."""
    return list(dict.fromkeys(condition.column for way in rule for condition in way))


def plain(rule: Rule) -> list[list[dict[str, Any]]]:
    """The rule in plain values: a list of ways, each a list of conditions."""
    return [[condition_in_plain(each) for each in way] for way in rule]


def condition_in_plain(condition: Condition) -> dict[str, Any]:
    bound = "at_least" if condition.at_least else "at_most"
    return {"column": condition.column, "bound": bound, "threshold": condition.threshold}


def as_sql(rule: Rule) -> str:
    """A condition for WHERE, on a table with the columns of data/customers.parquet."""
    return _joined([[_written(each, _in_sql(each.column)) for each in way] for way in rule], " AND ", " OR ")


def as_python(rule: Rule, name: str) -> str:
    """A function of that name, of one customer's figures by column (a dict, or a row of the table)."""
    condition = _joined([[_written(each, _in_python(each.column)) for each in way] for way in rule], " and ", " or ")
    return f"def {name}(customer):\n    return bool({condition})\n"


def _in_sql(column: str) -> str:
    return MADE_OF[column][0] if column in MADE_OF else column


def _in_python(column: str) -> str:
    return MADE_OF[column][1] if column in MADE_OF else f'customer["{column}"]'


def _joined(rule: Sequence[Sequence[str]], both: str, either: str) -> str:
    ways = [both.join(way) for way in rule]
    return ways[0] if len(ways) == 1 else either.join(f"({way})" for way in ways)


def _written(condition: Condition, figure: str) -> str:
    threshold = f"{condition.threshold:.9f}".rstrip("0").rstrip(".")
    return f"{figure} {'>=' if condition.at_least else '<='} {threshold}"
