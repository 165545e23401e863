"""Who is one step from entering, and which step."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.programme.actions.targeting import reachable
from insiders.programme.rules import Condition, Rule, Way, meets

COLUMNS = [
    *("customer_id", "segment", "column", "bound", "threshold", "value", "missing", "shortfall", "net_revenue"),
    "arm",
]


def near_misses(customers: pd.DataFrame, rule: Rule, shortfall_max: float) -> pd.DataFrame:
    """Customers who are not members and miss the rule by one condition of a way, the nearest first.

    One row per customer (COLUMNS), for the nearest way: the condition, the customer's `value`, what is `missing` in the
    column's unit, and the `shortfall`: the same as a share of the threshold, at most `shortfall_max`.
    """
    outside = reachable(customers[~customers["is_insider"]], for_members=False)
    outside = outside[~meets(rule, outside)]
    rows = [row for way in rule for row in _single_misses(outside, way)]
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    misses = pd.concat(rows)[COLUMNS]
    near = misses[misses["shortfall"] <= shortfall_max]
    order = ["shortfall", "net_revenue", "column", "customer_id"]
    ranked = near.sort_values(order, ascending=[True, False, True, True])
    return ranked.drop_duplicates("customer_id").reset_index(drop=True)


def _single_misses(customers: pd.DataFrame, way: Way) -> list[pd.DataFrame]:
    """Per condition the customers who miss it and no other of the way."""
    missing = [_missing(customers, condition) for condition in way]
    misses = np.sum([each > 0 for each in missing], axis=0)
    return [
        customers.assign(
            **condition.plain,
            value=customers[condition.column],
            missing=amount,
            shortfall=(amount / condition.threshold).round(9),
        )[(misses == 1) & (amount > 0)]
        for condition, amount in zip(way, missing, strict=True)
    ]


def _missing(customers: pd.DataFrame, condition: Condition) -> NDArray[np.float64]:
    beyond = customers[condition.column].to_numpy(float) - condition.threshold
    return np.maximum(-beyond if condition.at_least else beyond, 0.0)
