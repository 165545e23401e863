"""Rules that a person can remember: thresholds on a customer's figures, in ways of which one is enough.

A rule is in disjunctive normal form: it holds where all conditions of one of its ways hold. It is monotone: conditions
ask for more of what is bought, and for a shorter time since. So of two otherwise equal customers, the one who spends
more, or bought more recently, is never out while the other is in.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

# The figures that a rule may use, which a shop can look up without a model, and whether a condition asks for at least
# so much (else at most): money, orders and the time since the last one, so that what somebody lacks is one of these. Of
# columns that separate equally well, the first is taken. Neither a rate nor an average is among them: it falls when
# somebody adds a small order.
AT_LEAST: Mapping[str, bool] = {
    "net_revenue": True,
    "net_revenue_365d": True,
    "net_revenue_180d": True,
    "net_revenue_90d": True,
    "order_count": True,
    "order_count_180d": True,
    "order_count_90d": True,
    "recency_days": False,
}
# Figures that change while a customer does nothing: a way without any of them, once met, is met for ever.
EXPIRING = frozenset(
    {
        *("recency_days", "net_revenue_365d", "net_revenue_180d", "net_revenue_90d"),
        *("order_count_180d", "order_count_90d"),
    }
)
WHOLE = frozenset({"order_count", "recency_days", "order_count_180d", "order_count_90d"})
MANTISSAS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
SMALL_MAX = 20  # whole numbers below this are memorable as they are
TOLERANCE = 1e-9


class PlainCondition(TypedDict):
    """A condition as JSON and page hold it."""

    column: str
    bound: Literal["at_least", "at_most"]
    threshold: float


class Condition(NamedTuple):
    """A column and the threshold that a customer must reach: from below or, for `recency_days`, from above."""

    column: str
    threshold: float

    @property
    def at_least(self) -> bool:
        return AT_LEAST[self.column]

    @property
    def plain(self) -> PlainCondition:
        return {
            "column": self.column,
            "bound": "at_least" if self.at_least else "at_most",
            "threshold": self.threshold,
        }

    def holds(self, customers: pd.DataFrame) -> Flags:
        """Boolean per customer."""
        values = customers[self.column].to_numpy(float)
        return values >= self.threshold if self.at_least else values <= self.threshold

    def margin(self, customers: pd.DataFrame) -> NDArray[np.float64]:
        """Distance of each customer to the threshold, as a share of it: positive where the condition holds."""
        share = customers[self.column].to_numpy(float) / self.threshold - 1
        return share if self.at_least else -share

    def loosen(self, slack: float) -> "Condition":
        """The nearest memorable threshold that is looser by at least `slack` (0-1) of this one; a count stays >= 1."""
        bound = self.threshold * (1 - slack if self.at_least else 1 + slack)
        numbers = memorable(bound / 10, bound * 10, self.column in WHOLE)
        looser = numbers[numbers <= bound + TOLERANCE] if self.at_least else numbers[numbers >= bound - TOLERANCE]
        if not len(looser):
            return self
        return self._replace(threshold=float(looser[-1] if self.at_least else looser[0]))


Way = tuple[Condition, ...]  # holds where all of its conditions hold
Rule = tuple[Way, ...]  # holds where one of its ways holds
PlainRule = list[list[PlainCondition]]


def memorable(low: float, high: float, whole: bool) -> NDArray[np.float64]:
    """The numbers from `low` (above 0) to `high` that people remember, ascending."""
    if high < low:
        return np.array([])
    powers = range(math.floor(math.log10(low)) - 1, math.floor(math.log10(high)) + 2)  # what lies outside is cut off
    numbers = np.array([round(mantissa * 10.0**power, 9) for power in powers for mantissa in MANTISSAS])
    if whole:
        numbers = np.unique([*range(1, SMALL_MAX), *numbers[numbers >= SMALL_MAX]])
    return numbers[(numbers >= low) & (numbers <= high)]


def meets(rule: Rule, customers: pd.DataFrame) -> Flags:
    """Boolean per customer: one of the rule's ways holds."""
    ways = [np.logical_and.reduce([each.holds(customers) for each in way]) for way in rule]
    return np.logical_or.reduce(ways) if ways else np.zeros(len(customers), bool)


def loosen(rule: Rule, slack: float) -> Rule:
    """Every threshold looser by at least `slack` (0-1), so that whoever meets the rule meets the looser one too."""
    return tuple(tuple(condition.loosen(slack) for condition in way) for way in rule)


def looseness(rule: Rule, customers: pd.DataFrame, bands: Sequence[float]) -> NDArray[np.float64]:
    """The least band at which each customer meets the rule, infinite where at none; 1: meets it as it is.

    At a band of 1.25 an amount may be 1.25 times smaller: thresholds are looser by a fifth.
    """
    tried = sorted({1.0, *bands})
    met = [meets(at_band(rule, band), customers) for band in tried]
    return np.select(met, tried, np.inf)


def at_band(rule: Rule, band: float) -> Rule:
    """The rule with thresholds looser by at least 1 - 1 / band; at 1 as it is."""
    return loosen(rule, 1 - 1 / band) if band > 1 else rule


def margin(rule: Rule, customers: pd.DataFrame) -> NDArray[np.float64]:
    """Distance of each customer to the binding condition of their best way, as a share of its threshold.

    Negative for those who miss the rule.
    """
    return np.max([np.min([each.margin(customers) for each in way], axis=0) for way in rule], axis=0)


def count_conditions(rule: Rule) -> int:
    return sum(map(len, rule))


def columns(rule: Rule) -> list[str]:
    """The columns that a rule uses, each once, in its order."""
    return list(dict.fromkeys(condition.column for way in rule for condition in way))


def to_plain(rule: Rule) -> PlainRule:
    return [[condition.plain for condition in way] for way in rule]


def from_plain(rule: Sequence[Sequence[PlainCondition]]) -> Rule:
    return tuple(tuple(Condition(each["column"], each["threshold"]) for each in way) for way in rule)


def as_text(rule: Rule) -> str:
    """A rule as JSON, which `from_text` reads."""
    return json.dumps(to_plain(rule))


def from_text(text: str) -> Rule:
    return from_plain(json.loads(text))


def as_sql(rule: Rule) -> str:
    """A condition for WHERE, on a table with the columns of data/customers.parquet."""
    ways = [[_comparison(each.column, each) for each in way] for way in rule]
    return _join(ways, " AND ", " OR ")


def as_python(rule: Rule, name: str) -> str:
    """Source of a function of that name, of one customer's figures by column (a dict, or a row of the table)."""
    ways = [[_comparison(f'customer["{each.column}"]', each) for each in way] for way in rule]
    return f"def {name}(customer):\n    return bool({_join(ways, ' and ', ' or ')})\n"


def _join(rule: Sequence[Sequence[str]], conjunction: str, disjunction: str) -> str:
    ways = [conjunction.join(way) for way in rule]
    return ways[0] if len(ways) == 1 else disjunction.join(f"({way})" for way in ways)


def _comparison(figure: str, condition: Condition) -> str:
    threshold = f"{condition.threshold:.9f}".rstrip("0").rstrip(".")
    return f"{figure} {'>=' if condition.at_least else '<='} {threshold}"
