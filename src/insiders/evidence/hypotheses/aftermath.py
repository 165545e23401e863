"""The customers of a list's day, what they had done by then and what they did afterwards, side by side."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.evidence.hypotheses.outcomes import SUMMED, months

Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]
Values = NDArray[np.float64]

TRAITS = ("net_revenue", "order_count", "recency_days")  # of the day of the list; look-alikes are matched on them
MEASURES = (*SUMMED, "customers", "months")  # what a claim can count


@dataclass(frozen=True)
class Aftermath:
    """Everybody who was known on the day of the list, or came within the period after it.

    The rows stand in an order that chance decides and that neither the input's order nor the customers' names touch:
    rows can be paired, cut into blocks and counted from the front.
    """

    traits: pd.DataFrame  # TRAITS, as of the day of the list; NaN for who came later
    chosen: Flags  # on the list
    known: Flags  # a customer on the day of the list
    before: pd.DataFrame  # MEASURES of the stretch before that day ...
    after: pd.DataFrame  # ... and of the period after it
    before_days: int
    after_days: int

    @property
    def others(self) -> Flags:
        """Known on the day of the list, and not on it."""
        return self.known & ~self.chosen


class Stretch(NamedTuple):
    """What customers did (outcomes.outcomes) in so many days; who has no row did nothing."""

    done: pd.DataFrame
    days: int


def aftermath(customers: pd.DataFrame, judged: pd.DataFrame, before: Stretch, after: Stretch, seed: int) -> Aftermath:
    """Put together `customers` as of the day of the list, the list (schemas.JUDGED), and what they did around it."""
    traits = customers.set_index("customer_id")[list(TRAITS)].astype(float)
    everybody = traits.index.union(pd.Index(after.done["customer_id"], dtype=traits.index.dtype))
    listed = judged.set_index("customer_id")["is_insider"].reindex(everybody, fill_value=False).to_numpy(bool)
    known, counted = traits.reindex(everybody), [_counted(each, everybody) for each in (before, after)]
    order = _by_lot([listed, counted[1], counted[0], known], seed)
    return Aftermath(
        traits=known.iloc[order].reset_index(drop=True),
        chosen=listed[order],
        known=everybody.isin(traits.index)[order],
        before=counted[0].iloc[order].reset_index(drop=True),
        after=counted[1].iloc[order].reset_index(drop=True),
        before_days=before.days,
        after_days=after.days,
    )


def _counted(stretch: Stretch, everybody: pd.Index) -> pd.DataFrame:
    filled = stretch.done.set_index("customer_id")[list(SUMMED)].reindex(everybody, fill_value=0.0)
    return filled.assign(customers=1.0, months=float(months(stretch.days)))[list(MEASURES)]


def _by_lot(figures: list[Any], seed: int) -> Rows:
    """Sort by the last figures, among equals by those before them, then shuffle.

    Who is equal in all of them is interchangeable; what came after the list only parts those who were equal until then.
    """
    keys = np.column_stack([np.asarray(each, float) for each in figures])
    return np.asarray(np.random.default_rng(seed).permutation(np.lexsort(keys.T)))
