"""Cohorts by month of the first order: who came back when, and with what revenue."""

from collections.abc import Sequence
from math import fsum, sqrt
from typing import NamedTuple, TypedDict

import pandas as pd

from insiders.explore.cohorts.history import PERIOD_MONTHS, History
from insiders.explore.cohorts.sums import Sums
from insiders.units import NORMAL_QUANTILE


class CohortMonth(TypedDict):
    """What a cohort did in one month: customers with an order, and revenue, both also per customer of the cohort."""

    since: int  # months since the first
    month: str
    active: int
    share: float
    net_revenue: float
    revenue_per_customer: float
    is_partial: bool


class Cohort(TypedDict):
    """The customers of one month (2011-12) and all their months.

    `is_censored`: it is the first month of the history, so they may have bought before. `back`: those who ordered again
    within PERIOD_MONTHS, null while these are not over.
    """

    cohort: str
    customers: int
    is_censored: bool
    is_partial: bool
    months: list[CohortMonth]
    first_revenue: float
    later_revenue: float
    revenue_per_customer: float
    back: int | None
    back_share: float | None


class RetentionMonth(TypedDict):
    """Cohorts pooled by months since the first order; `low` and `high` are the 95 % interval of the share."""

    since: int
    cohorts: int
    customers: int
    active: int
    share: float
    low: float
    high: float
    revenue_per_customer: float


class CohortNumbers(TypedDict):
    back_months: int
    cohorts: list[Cohort]
    retention: list[RetentionMonth]


def cohort_matrix(sums: Sums, history: History) -> CohortNumbers:
    """Every cohort month by month; the pooled retention leaves out censored cohorts and partial months."""
    cells = sums.cells.assign(**{name: pd.to_datetime(sums.cells[name]) for name in ("cohort", "month")})
    cells = cells[cells["month"] >= cells["cohort"]]  # a customer's earlier months only gave money back
    back = sums.comebacks.assign(cohort=pd.to_datetime(sums.comebacks["cohort"])).set_index("cohort")["back"]
    cohorts = [_cohort(start, group, back, history) for start, group in cells.groupby("cohort")]
    return {"back_months": PERIOD_MONTHS, "cohorts": cohorts, "retention": _retention(cohorts)}


def _cohort(start: pd.Timestamp, cells: pd.DataFrame, back: "pd.Series[int]", history: History) -> Cohort:
    by_month = cells.set_index("month").reindex(history.months[history.months >= start])
    customers = int(by_month["customers"].iloc[0])
    by_month = by_month[["customers", "net_revenue"]].fillna(0)
    months = [
        _month(since, _Cell(month, int(active), float(revenue)), customers, history.is_partial(month))
        for since, (month, active, revenue) in enumerate(by_month.itertuples())
    ]
    first, *later = (each["net_revenue"] for each in months)
    is_over = start + pd.DateOffset(months=PERIOD_MONTHS + 1) <= pd.Timestamp(history.as_of)
    return {
        "cohort": f"{start:%Y-%m}",
        "customers": customers,
        "is_censored": bool(start == history.months[0]),
        "is_partial": history.is_partial(start),
        "months": months,
        "first_revenue": first,
        "later_revenue": fsum(later),
        "revenue_per_customer": fsum([first, *later]) / customers,
        "back": int(back[start]) if is_over else None,
        "back_share": int(back[start]) / customers if is_over else None,
    }


class _Cell(NamedTuple):
    month: pd.Timestamp
    active: int
    net_revenue: float


def _month(since: int, cell: _Cell, customers: int, is_partial: bool) -> CohortMonth:
    return {
        "since": since,
        "month": f"{cell.month:%Y-%m}",
        "active": cell.active,
        "share": cell.active / customers,
        "net_revenue": cell.net_revenue,
        "revenue_per_customer": cell.net_revenue / customers,
        "is_partial": is_partial,
    }


def _retention(cohorts: Sequence[Cohort]) -> list[RetentionMonth]:
    by_since: dict[int, list[tuple[Cohort, CohortMonth]]] = {}
    for cohort in cohorts:
        for month in cohort["months"]:
            if month["since"] and not (cohort["is_censored"] or cohort["is_partial"] or month["is_partial"]):
                by_since.setdefault(month["since"], []).append((cohort, month))
    return [_pooled(since, by_since[since]) for since in sorted(by_since)]


def _pooled(since: int, pairs: Sequence[tuple[Cohort, CohortMonth]]) -> RetentionMonth:
    customers, active = sum(cohort["customers"] for cohort, _ in pairs), sum(month["active"] for _, month in pairs)
    low, high = wilson_interval(active, customers)
    return {
        "since": since,
        "cohorts": len(pairs),
        "customers": customers,
        "active": active,
        "share": active / customers,
        "low": low,
        "high": high,
        "revenue_per_customer": fsum(month["net_revenue"] for _, month in pairs) / customers,
    }


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), which stays inside 0 to 1 also for few; `total` is at least 1."""
    share, z2 = hits / total, NORMAL_QUANTILE**2
    centre = share + z2 / (2 * total)
    reach = NORMAL_QUANTILE * sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    return (centre - reach) / (1 + z2 / total), (centre + reach) / (1 + z2 / total)
