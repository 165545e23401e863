"""Who is one step from entering, and which step."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ways = Sequence[Sequence[Mapping[str, Any]]]  # of which one is enough: conditions with column, bound, threshold
COLUMNS = ["customer_id", "segment", "column", "bound", "threshold", "value", "missing", "shortfall", "net_revenue"]


def one_step(customers: pd.DataFrame, ways: Ways, shortfall_max: float) -> pd.DataFrame:
    """Who is no member, misses a single condition of a way, and this by at most that share of its threshold.

    One row each, the nearest first: the condition, the customer's value, and how much is missing, in the column's unit
    and as a share of the threshold (`shortfall`). Of several ways the one counts that is nearest.
    """
    outside = customers[~customers["is_insider"]]
    rows = [row for way in ways for row in _one_missing(outside, way)]
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    found = pd.concat(rows)[COLUMNS]
    near = found[found["shortfall"] <= shortfall_max]
    order = ["shortfall", "net_revenue", "column", "customer_id"]
    ranked = near.sort_values(order, ascending=[True, False, True, True])
    inside = outside[_meets(outside, ways)]["customer_id"]  # they lack nothing
    return ranked[~ranked["customer_id"].isin(inside)].drop_duplicates("customer_id").reset_index(drop=True)


def _one_missing(customers: pd.DataFrame, way: Sequence[Mapping[str, Any]]) -> list[pd.DataFrame]:
    missing = [_missing(customers, each) for each in way]
    misses = np.sum([each > 0 for each in missing], axis=0)
    return [
        customers.assign(
            **{name: each[name] for name in ("bound", "threshold")},
            column=each["column"],
            value=customers[each["column"]],
            missing=lack,
            shortfall=(lack / each["threshold"]).round(9),
        )[(misses == 1) & (lack > 0)]
        for each, lack in zip(way, missing, strict=True)
    ]


def _missing(customers: pd.DataFrame, condition: Mapping[str, Any]) -> NDArray[np.float64]:
    beyond = customers[condition["column"]].to_numpy(float) - condition["threshold"]
    return np.maximum(-beyond if condition["bound"] == "at_least" else beyond, 0.0)


def _meets(customers: pd.DataFrame, ways: Ways) -> NDArray[np.bool_]:
    met = [np.logical_and.reduce([_missing(customers, each) == 0 for each in way]) for way in ways]
    return np.logical_or.reduce(met) if met else np.zeros(len(customers), bool)
