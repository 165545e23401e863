"""The customers on the day of a list: what they had done by then, and what they did afterwards, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.evidence.hypotheses.outcomes import OUTCOMES, months

Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]
Values = NDArray[np.float64]

TRAITS = ("net_revenue", "order_count", "recency_days")  # on the day of the list; look-alikes are matched on them
MEASURES = (*OUTCOMES, "customers", "months")  # what a claim can count


@dataclass(frozen=True)
class Aftermath:
    """One row per customer of the day of the list, or newcomer of the period after it.

    The order of the rows is random, and depends neither on the input's order nor on the customers' names: rows can be
    paired, cut into blocks and counted from the front.
    """

    traits: pd.DataFrame  # TRAITS, on the day of the list; NaN for newcomers
    is_listed: Flags
    is_customer: Flags  # on the day of the list; newcomers are not
    before: pd.DataFrame  # MEASURES of the period before that day ...
    after: pd.DataFrame  # ... and of the period after it
    before_days: int
    after_days: int

    @property
    def insiders(self) -> Flags:
        """Customers of the day who are on the list."""
        return self.is_customer & self.is_listed

    @property
    def others(self) -> Flags:
        """Customers of the day who are not on the list."""
        return self.is_customer & ~self.is_listed


class Period(NamedTuple):
    """What customers did (outcomes.outcomes) in a number of days; a customer without a row did nothing."""

    outcomes: pd.DataFrame
    days: int


def aftermath(customers: pd.DataFrame, judged: pd.DataFrame, before: Period, after: Period, seed: int) -> Aftermath:
    """Join `customers` as of the day of the list, the list (schemas.JUDGED), and what they did before and after it."""
    own = customers.set_index("customer_id")[list(TRAITS)].astype(float)
    everybody = own.index.union(pd.Index(after.outcomes["customer_id"], dtype=own.index.dtype))
    is_listed = judged.set_index("customer_id")["is_insider"].reindex(everybody, fill_value=False).to_numpy(bool)
    traits = own.reindex(everybody)
    measures = [_measures(period, everybody) for period in (before, after)]
    order = _random_order([is_listed, measures[1], measures[0], traits], seed)
    return Aftermath(
        traits=traits.iloc[order].reset_index(drop=True),
        is_listed=is_listed[order],
        is_customer=everybody.isin(own.index)[order],
        before=measures[0].iloc[order].reset_index(drop=True),
        after=measures[1].iloc[order].reset_index(drop=True),
        before_days=before.days,
        after_days=after.days,
    )


def _measures(period: Period, everybody: pd.Index) -> pd.DataFrame:
    outcomes = period.outcomes.set_index("customer_id")[list(OUTCOMES)].reindex(everybody, fill_value=0.0)
    return outcomes.assign(customers=1.0, months=float(months(period.days)))[list(MEASURES)]


def _random_order(keys: Sequence[pd.DataFrame | Flags], seed: int) -> Rows:
    """Sort by the last key, break ties by the keys before it, then shuffle: a permutation of the rows.

    Customers equal in all keys are interchangeable. The traits come last in `keys`, so that outcomes only break ties.
    """
    columns = np.column_stack([np.asarray(each, float) for each in keys])
    return np.asarray(np.random.default_rng(seed).permutation(np.lexsort(columns.T)))
