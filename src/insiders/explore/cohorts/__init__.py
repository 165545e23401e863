"""Who comes, stays and goes: cohorts by month of the first order, the revenue tree, and moves between segments.

The engine evaluates the expressions of `sums`; everything else works in memory on their results.
"""

from collections.abc import Sequence
from typing import TypedDict

import pandas as pd

from insiders.explore.cohorts.flow import FlowMonth, flow
from insiders.explore.cohorts.history import History as History
from insiders.explore.cohorts.history import periods as periods
from insiders.explore.cohorts.movement import Movement, movement
from insiders.explore.cohorts.retention import CohortNumbers, cohort_matrix
from insiders.explore.cohorts.revenue_tree import RevenueTree, revenue_tree
from insiders.explore.cohorts.sums import Sums as Sums


class PastNumbers(TypedDict):
    """What the orders say of the past; null where the history is too short to say it."""

    cohorts: CohortNumbers
    quiet_months: int
    flow: list[FlowMonth]
    revenue_tree: RevenueTree | None
    movement: Movement | None


def past(
    sums: Sums, history: History, quiet_months: int, memberships: pd.DataFrame, order: Sequence[str]
) -> PastNumbers:
    """All of it; `quiet_months` without an order make a customer lapsed, `memberships` and `order` as in `movement`."""
    return {
        "cohorts": cohort_matrix(sums, history),
        "quiet_months": quiet_months,
        "flow": flow(sums.moves, history, quiet_months),
        "revenue_tree": revenue_tree(sums.levels, periods(history)),
        "movement": movement(memberships, order),
    }
