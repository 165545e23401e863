"""Customers by month: who was new, who stayed, who came back and who lapsed."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypedDict, get_args

import pandas as pd

from insiders.explore.cohorts.history import History

Status = Literal["new", "retained", "returning", "without_order", "lapsed"]
STATUSES: tuple[Status, ...] = get_args(Status)


class StatusNumbers(TypedDict):
    """Customers of one status in a month; null where the history cannot tell."""

    customers: int | None
    net_revenue: float | None


class FlowMonth(TypedDict):
    """A month (2011-12) and its customers by status, as sums.moves defines them.

    `base` counts the customers who ordered within the `quiet_months` that end with the month; null where nobody can
    tell who lapsed.
    """

    month: str
    is_partial: bool
    new: StatusNumbers
    retained: StatusNumbers
    returning: StatusNumbers
    without_order: StatusNumbers
    lapsed: StatusNumbers
    base: int | None


class _Sum(NamedTuple):
    customers: int
    net_revenue: float


def flow(moves: pd.DataFrame, history: History, quiet_months: int) -> list[FlowMonth]:
    """One row per month of the history; `moves` is sums.moves.

    In the first `quiet_months` nobody can lapse or return. Who lapses in a partial month is still open.
    """
    sums = moves.set_index(["number", "status"])
    rows: list[FlowMonth] = []
    base = 0
    for place, month in enumerate(history.months):
        by_status = _by_status(sums, month)
        base += by_status["new"].customers + by_status["returning"].customers - by_status["lapsed"].customers
        is_partial = history.is_partial(month)
        can_return, can_lapse = place > quiet_months, place >= quiet_months and not is_partial
        rows.append(
            {
                "month": f"{month:%Y-%m}",
                "is_partial": is_partial,
                "new": _numbers(by_status["new"]),
                "retained": _numbers(by_status["retained"]),
                "returning": _numbers(by_status["returning"] if can_return else None),
                "without_order": _numbers(by_status["without_order"]),
                "lapsed": _numbers(by_status["lapsed"] if can_lapse else None),
                "base": base if can_lapse else None,
            }
        )
    return rows


def _by_status(sums: pd.DataFrame, month: pd.Timestamp) -> Mapping[Status, _Sum]:
    number = month.year * 12 + month.month
    return {status: _sum(sums, (number, status)) for status in STATUSES}


def _sum(sums: pd.DataFrame, key: tuple[int, Status]) -> _Sum:
    if key not in sums.index:
        return _Sum(0, 0.0)
    return _Sum(int(sums.loc[key, "customers"]), float(sums.loc[key, "net_revenue"]))


def _numbers(total: _Sum | None) -> StatusNumbers:
    if total is None:
        return {"customers": None, "net_revenue": None}
    return {"customers": total.customers, "net_revenue": total.net_revenue}
