"""Who comes, who stays and who goes: cohorts by month of the first order, the revenue tree, and moves between segments.

`sums` is evaluated by the engine; the rest works on what it hands over, in memory.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from insiders.explore.cohorts.changes import flow, movement, tree
from insiders.explore.cohorts.history import History as History
from insiders.explore.cohorts.history import periods as periods
from insiders.explore.cohorts.retention import matrix
from insiders.explore.cohorts.sums import Sums as Sums


def past(
    sums: Sums, history: History, quiet_months: int, memberships: pd.DataFrame, order: Sequence[str]
) -> dict[str, Any]:
    """All of it, for the answers: `cohorts`, `flow`, `revenue_tree` and `movement`; null where it cannot be told.

    `quiet_months` without an order make a customer lapsed; `memberships` and `order` as in `movement`.
    """
    return {
        "cohorts": matrix(sums, history),
        "quiet_months": quiet_months,
        "flow": flow(sums.moves, history, quiet_months),
        "revenue_tree": tree(sums.levels, periods(history)),
        "movement": movement(memberships, order),
    }
